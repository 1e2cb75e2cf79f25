"""Lets a torchvision that was built for CUDA be imported beside a torch that was not.

Where a package index has only the CUDA build of torchvision, its compiled operators cannot be loaded beside a CPU
build of torch, and its import fails where it describes one of them, ``nms``, to torch. Declaring the operators first is
enough: what processors use of torchvision, resizing and normalising, is plain torch.

``scripts/bootstrap.sh`` puts this file and a ``.pth`` beside it into the environment's site-packages, if it is needed;
it does nothing until torchvision is imported. As every start of Python imports it, it imports next to nothing itself:
``importlib.abc`` would take three times as long as all the rest of the start.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_OPERATORS = ("nms", "qnms")
_libraries: list[object] = []
"""Keeps the declarations alive; torch forgets them with the object."""


class _Declare:
    """Sees the import of torchvision coming, declares its operators, and leaves the import to the others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            import torch

            if torch.version.cuda is None:
                library = torch.library.Library("torchvision", "DEF")
                for name in _OPERATORS:
                    library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
                _libraries.append(library)
        return None


sys.meta_path.insert(0, _Declare())
