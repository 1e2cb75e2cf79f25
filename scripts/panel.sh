#!/usr/bin/env bash
# Makes .venv-panel: Python 3.12 with the real omni.ui, NVIDIA's own widgets (ovui), and this package with its tests.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-panel
. scripts/python312.sh
make_312 "$venv" "omni.ui" panel-test
"$venv/bin/python" -m pip install --disable-pip-version-check --constraint constraints/3.12.txt --editable '.[test]' \
  'ovui>=0.3,<0.4'
OMP_NUM_THREADS=1 "$venv/bin/python" -c 'from tests.isaac.kit.real import omni_ui; omni_ui()' ||
  die "omni.ui cannot draw; it needs Vulkan in software and a C compiler: apt-get install mesa-vulkan-drivers libvulkan1 gcc"
