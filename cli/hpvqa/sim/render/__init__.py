"""Pictures of a world, by OpenGL: made for processors without a GPU, and the same for every simulator."""

VERSION = "3"
"""Of the pictures."""
FIRST = "1"
"""Of the pictures that MuJoCo's own renderer drew, before versions were written down."""
