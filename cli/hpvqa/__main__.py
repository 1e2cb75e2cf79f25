"""Where the ``hpvqa`` command starts, also as ``python -m hpvqa``."""

import contextlib
import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it in one sentence even while modules are imported."""
    sys.unraisablehook = _note
    try:
        from hpvqa.main import main
    except KeyboardInterrupt:
        print("Error: Interrupted", file=sys.stderr)
        # As `hpvqa.errors.INTERRUPTED`, which may be what was being imported.
        sys.exit(130)
    main()


def _note(found: "sys.UnraisableHookArgs") -> None:
    """Say in a line what failed in tidying up, of which Python would print a traceback.

    Nothing of the work depends on it: such as multiprocessing, that cannot remove a lock because it is gone.
    """
    with contextlib.suppress(Exception):
        print(f"Note: tidying up: {found.exc_value!r}".encode("ascii", "backslashreplace").decode(), file=sys.stderr)


if __name__ == "__main__":
    run()
