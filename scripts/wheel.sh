#!/usr/bin/env bash
# Builds the source distribution and from it the wheel, installs that with nothing but its required packages into an
# environment of its own, and tries it there, away from this checkout. Both stay in the folder that is given, if one is.
set -euo pipefail
cd "$(dirname "$0")/.."

keep=${1:+$(mkdir -p "$1" && realpath "$1")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=.venv/bin/python
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
locked=()
[ ! -e "constraints/$version.txt" ] || locked=(--constraint "constraints/$version.txt")

"$python" -m venv "$work/build"
"$work/build/bin/python" -m pip install --disable-pip-version-check --quiet 'hatchling>=1.25,<2'
"$work/build/bin/hatchling" build --target sdist --directory "$work" >/dev/null
"$python" -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir "$work" "$work"/hpvqa-*.tar.gz
echo "The wheel holds every file of the package, and no other:"
diff <({ cd cli && find hpvqa -type f && cd .. && find recipes exts -type f -printf 'hpvqa/%p\n'; } | grep -v __pycache__ | sort) \
  <("$python" -m zipfile --list "$work"/hpvqa-*.whl | awk '$1 ~ "^hpvqa/" { print $1 }' | sort) && echo "    yes"

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --disable-pip-version-check --quiet "${locked[@]}" "$work"/hpvqa-*.whl
cd "$work"
for command in "--help" "sample push --json" "schema recipe" "panel --path" "sample drop --rig paper-original --json"; do
  echo "hpvqa $command"
  # shellcheck disable=SC2086 # several arguments
  venv/bin/hpvqa $command >out
  [ -s out ]
done
[ -z "$keep" ] || mv "$work"/hpvqa-*.tar.gz "$work"/hpvqa-*.whl "$keep"
