# shellcheck shell=bash
# SPDX-License-Identifier: EUPL-1.2
# Ce que les scripts partagent : à lire par « source », depuis n'importe quel répertoire.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cache="${XDG_CACHE_HOME:-$HOME/.cache}/opstracker"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$cache/target}"
# Les requêtes sont vérifiées d'après .sqlx : une DATABASE_URL ne change rien à la compilation.
export SQLX_OFFLINE=true
# HOME n'est pas toujours le répertoire du compte (sudo, service, environnement vidé) : rustup y est pourtant.
account_home="$(getent passwd "$(id -u)" | cut -d: -f6)"
if [[ ! -d $HOME/.rustup && -d $account_home/.rustup ]]; then
  export RUSTUP_HOME="${RUSTUP_HOME:-$account_home/.rustup}" CARGO_HOME="${CARGO_HOME:-$account_home/.cargo}"
fi
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

say() { printf '%s\n' "→ $*" >&2; }
fail() { printf '%s\n' "✗ $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Le répertoire des programmes de PostgreSQL, la version la plus haute d'abord (15 au moins).
postgres_bin() {
  local directory major
  while read -r directory; do
    [[ -x $directory/postgres && -x $directory/initdb && -x $directory/pg_ctl ]] || continue
    major="$("$directory/postgres" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')"
    ((major >= 15)) && { echo "$directory"; return; }
  done < <(
    if [[ -n ${OPSTRACKER_PG_BIN:-} ]]; then echo "$OPSTRACKER_PG_BIN"; return; fi
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr
    if have initdb; then dirname "$(readlink -f "$(command -v initdb)")"; fi
  )
  return 1
}

chromium_path() {
  local name
  if [[ -x ${CHROMIUM:-} ]]; then echo "$CHROMIUM"; return; fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if have "$name"; then command -v "$name"; return; fi
  done
  return 1
}

node_is_recent() { have node && have npm && (($(node -p 'process.versions.node.split(".")[0]') >= 20)); }

# Node de la machine, sinon celui que bin/setup a mis à part.
use_node() {
  node_is_recent || PATH="$cache/node/bin:$PATH"
  node_is_recent
}
