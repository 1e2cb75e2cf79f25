"""Where the ``hpvqa`` command starts, also as ``python -m hpvqa``."""

import sys


def run() -> None:
    """Run the command line; Ctrl-C ends it in one sentence even while modules are imported."""
    try:
        from hpvqa.main import main
    except KeyboardInterrupt:
        print("Error: Interrupted", file=sys.stderr)
        # As `hpvqa.errors.INTERRUPTED`, which may be what was being imported.
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
