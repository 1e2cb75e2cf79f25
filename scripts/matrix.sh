#!/usr/bin/env bash
# Runs the tests in environments of their own, below .venvs:
#   matrix.sh 3.11 3.12    with the locked versions, for each of these Pythons that is on this machine
#   matrix.sh lowest       with the lowest versions that pyproject.toml allows, for the lowest Python
#   matrix.sh newest       with the newest ones, for the newest Python; what is locked may be older
# EXTRA names the extras to install: test by default, which leaves out the models and their tests; test,vlm has both, and
# so has dev, which pins PyTorch to what vLLM's build for CPUs needs.
# The long tests are left out, as by make test. ARGS are further arguments for pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

extra=${EXTRA:-test}
declare -A python=([lowest]=3.11 [newest]=3.13) resolution=([lowest]=lowest-direct [newest]=highest)
mapfile -t extras < <(tr , '\n' <<<"$extra" | sed 's/^/--extra=/')
status=0

say() { printf '==> %s\n' "$*"; }

# Prints the path of a Python of this version, from PATH or pyenv.
find_python() {
  local name
  for name in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if "$name" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  return 1
}

# try NAME PYTHON CONSTRAINTS: makes the environment and runs the tests in it.
try() {
  local venv=.venvs/$1
  say "$1: installing"
  "$2" -m venv --clear "$venv" || return
  "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --constraint "$3" --editable ".[$extra]" || return
  say "$1: testing"
  # shellcheck disable=SC2086 # several arguments
  "$venv/bin/python" -m pytest --numprocesses 2 --dist loadfile -m 'not long' ${ARGS:-} || return
}

for version; do
  found=$(find_python "${python[$version]:-$version}") || { say "$version: there is no such Python here; left out"; continue; }
  constraints=constraints/$version.txt
  if [ -n "${resolution[$version]:-}" ]; then
    mkdir -p .venvs
    constraints=.venvs/$version.txt
    # Without the overrides of pyproject.toml, which hold PyTorch at one version.
    .venv/bin/uv pip compile --no-config pyproject.toml "${extras[@]}" --resolution "${resolution[$version]}" \
      --quiet --no-annotate --python-version "${python[$version]}" --python-platform x86_64-manylinux_2_28 \
      --output-file "$constraints"
  fi
  if try "$version" "$found" "$constraints"; then
    result+=("$version: passed")
  else
    result+=("$version: FAILED")
    status=1
  fi
done
say "With the extra $extra"
printf '    %s\n' "${result[@]:-nothing was tried}"
exit $status
