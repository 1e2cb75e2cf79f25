"""The contract with Isaac Sim, Isaac Lab and Kit."""

import sys
from pathlib import Path

# The extension's modules: Kit puts its folder on the path, and so do the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "exts" / "hpvqa.collector"))
