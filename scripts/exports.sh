#!/usr/bin/env bash
# Makes an environment for each program that exports are for, below .venvs/exports: none of them can live beside another,
# or beside hpvqa. constraints/exports/ holds their versions.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.venvs/exports
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

for name; do
  venv=$root/$name
  [ ! -e "$venv/.ready" ] || continue
  echo "==> $name: installing"
  .venv/bin/python -m venv --clear "$venv"
  pip install --quiet --requirement "constraints/exports/$name.txt"
  case $name in
    # torchvision asks for the torch that it was built with, and LeRobot for a Python and a torch that it does not need.
    lerobot) pip install --quiet --no-deps --ignore-requires-python torchvision==0.28.0 lerobot==0.6.1 ;;
    swift) pip install --quiet --no-deps torchvision==0.28.0 ;;
  esac
  packages=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  [ "$name" != lerobot ] || .venv/bin/python scripts/older_syntax.py "$packages/lerobot"
  "$venv/bin/python" -c 'import torchvision' 2>/dev/null || cp scripts/torchvision_cpu/torchvision_cpu.{py,pth} "$packages"
  touch "$venv/.ready"
done
