"""Pictures of a world, by OpenGL: made for processors without a GPU, and the same for every simulator."""

VERSION = "2"
"""Of the pictures; 1 were those of MuJoCo's own renderer."""
