"""Data sets in the forms that other programs read: one file a format, none of which imports that program."""
