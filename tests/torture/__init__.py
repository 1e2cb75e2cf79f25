"""What breaks software, on demand: kills, failing disks, races, damaged files. ``python -m tests.torture --help``."""
