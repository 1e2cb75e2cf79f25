#!/usr/bin/env bash
# Makes .venvs/extras: what the tests need, and the optional packages that `make test` does without, for their size.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venvs/extras
version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
locked=()
[ ! -e "constraints/$version.txt" ] || locked=(--constraint "constraints/$version.txt")

.venv/bin/python -m venv --clear "$venv"
.venv/bin/uv pip install --quiet --python "$venv/bin/python" "${locked[@]}" \
  --editable '.[dev,mlflow,quantize,ray,rerun,tensorboard,wandb]'
"$venv/bin/python" -c 'import torchvision' 2>/dev/null ||
  cp scripts/torchvision_cpu/torchvision_cpu.{py,pth} \
    "$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')"
