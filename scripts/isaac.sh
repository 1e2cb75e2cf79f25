#!/usr/bin/env bash
# Makes .venv-isaac: Python 3.12 with Isaac Lab 3 and PhysX without Isaac Sim, and this package. 7.8 GB, some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-isaac
. scripts/python312.sh
make_312 "$venv" "Isaac Lab 3" isaac
pip=("$venv/bin/python" -m pip install --disable-pip-version-check)
"${pip[@]}" --editable '.[isaaclab]' pytest hypothesis pytest-xdist
# PhysX asks for an older packaging, the converter for a newer MuJoCo than Isaac Lab does; they work with those.
"${pip[@]}" --no-deps ovphysx==0.6.4.72118723 ovstage==0.2.1.385922 mujoco-usd-converter==0.8.0
"$venv/bin/python" -c 'import isaaclab, ovphysx, mujoco_usd_converter'
echo "PhysX (ovphysx, ovstage) is NVIDIA's, under the licences in $venv/lib/python3.12/site-packages/ov*.dist-info: read them"
echo "Ready: hpvqa collect push drop --backend isaac --physics ovphysx --out data"
