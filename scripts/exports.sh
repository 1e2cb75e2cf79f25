#!/usr/bin/env bash
# Makes an environment for each program that exports are for, below .venvs/exports: none of them can live beside another,
# or beside hpvqa. constraints/exports/ holds their versions. lerobot-0.4 takes 8 GB, for it asks for a PyTorch that
# package indexes have with CUDA alone, and is made only if it is named.
set -euo pipefail
cd "$(dirname "$0")/.."

root=.venvs/exports
# pip takes minutes for each of them.
install() { .venv/bin/uv pip install --quiet --python "$venv/bin/python" "$@"; }

for name; do
  venv=$root/$name
  [ ! -e "$venv/.ready" ] || continue
  echo "==> $name: installing"
  .venv/bin/python -m venv --clear "$venv"
  install --requirement "constraints/exports/$name.txt"
  case $name in
    # torchvision asks for the torch that it was built with, and LeRobot for a Python and a torch that it does not need.
    lerobot)
      install --no-deps torchvision==0.28.0
      install --no-deps --python-version 3.12 lerobot==0.6.1
      ;;
    # It asks for a page in the browser and for sound, too.
    llamafactory) install --no-deps torchvision==0.28.0 llamafactory==0.9.5 ;;
    swift) install --no-deps torchvision==0.28.0 ;;
    # It asks for seventy packages, some of which have to be compiled, and are for single benchmarks.
    vlmevalkit) install --no-deps torchvision==0.28.0 ms-vlmeval==0.0.20 ;;
  esac
  packages=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  [ "$name" != lerobot ] || .venv/bin/python scripts/older_syntax.py "$packages/lerobot"
  [ ! -d "$packages/torchvision" ] || "$venv/bin/python" -c 'import torchvision' 2>/dev/null ||
    cp scripts/torchvision_cpu/torchvision_cpu.{py,pth} "$packages"
  touch "$venv/.ready"
done
