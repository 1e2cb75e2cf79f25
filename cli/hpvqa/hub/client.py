"""The Hub's own client, which knows where the Hub is and who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpvqa import __version__
from hpvqa.errors import MissingDependencyError
from hpvqa.install import pip_install

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def open_hub() -> HfApi:
    """The client. Its token is that of ``hf auth login``, or of the variable HF_TOKEN; no other way is offered.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars, logging
    except ImportError:
        raise MissingDependencyError(f"The Hub needs the extra hub: {pip_install('hub')}") from None
    # What it says of each retry would stand between our own lines.
    logging.set_verbosity_error()
    disable_progress_bars()
    return HfApi(library_name="hpvqa", library_version=__version__)
