"""``hpvqa`` where what would take minutes or the network is replaced: ``python -m tests.torture.stand_ins WHAT ARGS``.

``suite``: the suite v1 quick is a small one whose episodes take no simulator. ``assets``: the robot's meshes are a few
bytes, in a wheel in the folder ``wheels`` and as they should be in ``expected``, and are not installed.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from hpvqa.main import main

WHEELS, EXPECTED = "wheels", "expected"


def _suite() -> None:
    from hpvqa.suite import data as suite_data
    from hpvqa.suite import definition as suite_definition
    from hpvqa.suite import run as suite_run
    from tests.collect_fakes import SerialPool, tiny
    from tests.test_suite import small

    definition = small()
    suite_definition._read = lambda version: definition
    suite_data.prepare = lambda *args, **more: None
    suite_data.mujoco_pool = lambda workers: SerialPool(tiny, workers)
    suite_run.REFERENCES = {who: name for who, name in suite_run.REFERENCES.items() if who != "pixels"}


def _assets() -> None:
    from hpvqa.sim.mujoco import assets

    wheels = Path(WHEELS).absolute()
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    os.environ["HPVQA_CACHE"] = "cache"
    assets._installed = lambda: None
    assets.WHEEL_SHA256 = hashlib.sha256((wheels / assets.WHEEL).read_bytes()).hexdigest()
    assets.MODEL_DIGEST = assets.model_digest(Path(EXPECTED))


if __name__ == "__main__":
    {"suite": _suite, "assets": _assets}[sys.argv.pop(1)]()
    main()
