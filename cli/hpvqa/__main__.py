"""``python -m hpvqa`` is the ``hpvqa`` command."""

from hpvqa.main import main

if __name__ == "__main__":
    main()
