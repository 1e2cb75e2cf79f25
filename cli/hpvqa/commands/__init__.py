"""The subcommands, one a file, without logic of their own: each exposes a click command called ``command``."""
