#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Renews common_passwords.txt from the list that ships with Django. Run it by hand, then read the diff.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip download --quiet --no-deps --no-binary :none: --dest "$work" "django==${1:-5.2.19}"
python3 - "$work" "$here/common_passwords.txt" <<'PY'
import glob, gzip, sys, zipfile
work, out = sys.argv[1:]
wheel = zipfile.ZipFile(glob.glob(work + "/*.whl")[0])
lines = gzip.decompress(wheel.read("django/contrib/auth/common-passwords.txt.gz")).decode().split("\n")
words = [line for line in lines if line][:10_000]
assert len(words) == len(set(words)) == 10_000
open(out, "w").write("\n".join(words) + "\n")
PY
wc -l "$here/common_passwords.txt"
