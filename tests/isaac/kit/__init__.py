"""A stand-in of Kit for tests of the panel."""
