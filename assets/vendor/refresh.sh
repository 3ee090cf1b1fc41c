#!/usr/bin/env bash
# SPDX-License-Identifier: EUPL-1.2
#
# Fetches Turbo and Stimulus again from the npm registry, minifies them and
# rewrites CHECKSUMS. Needed only to change a version: the build uses no npm.
#
#   assets/vendor/refresh.sh            # rewrite turbo.js, stimulus.js and CHECKSUMS
#   assets/vendor/refresh.sh --check    # rebuild apart and compare with what is here
#
# One line of Turbo is taken out: its progress bar inserts a <style> element,
# which our Content-Security-Policy (style-src 'self') refuses. The bar is
# styled by assets/css/turbo.css instead.
# The npm package of Turbo carries no licence text: turbo.LICENSE is kept by hand.
set -euo pipefail

turbo=8.0.23
stimulus=3.2.2
esbuild=0.28.2

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm pack --silent "@hotwired/turbo@$turbo" "@hotwired/stimulus@$stimulus" >/dev/null
# esbuild ships its program inside a package: no install script is needed.
npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix tools "esbuild@$esbuild" >/dev/null
for name in turbo stimulus; do
  mkdir "$name" && tar -xzf hotwired-"$name"-*.tgz -C "$name" --strip-components=1
done

source=turbo/dist/turbo.es2017-esm.js
line='^    this\.installStylesheetElement();$'
[ "$(grep -c "$line" "$source")" = 1 ] || { echo "Turbo a changé : revoir la ligne retirée" >&2; exit 1; }
sed -i "/$line/d" "$source"

minify() { # minify SOURCE TARGET BANNER
  tools/node_modules/.bin/esbuild "$1" --minify --format=esm --target=es2022 --charset=utf8 \
    --legal-comments=none --banner:js="$3" --outfile="$2" --log-level=warning
}
mkdir out
minify "$source" out/turbo.js "/*! Turbo $turbo, MIT: see turbo.LICENSE. Modified: see refresh.sh. */"
minify stimulus/dist/stimulus.js out/stimulus.js "/*! Stimulus $stimulus, MIT: see stimulus.LICENSE. */"
cp stimulus/LICENSE.md out/stimulus.LICENSE
cp "$here/turbo.LICENSE" out/
(cd out && sha256sum -- * >../CHECKSUMS)

if [ "${1:-}" = --check ]; then
  diff "$here/CHECKSUMS" CHECKSUMS
  (cd "$here" && sha256sum --check --quiet CHECKSUMS)
  echo "assets/vendor : conforme (turbo $turbo, stimulus $stimulus)"
else
  cp out/* CHECKSUMS "$here/"
  echo "assets/vendor : turbo $turbo, stimulus $stimulus"
fi
