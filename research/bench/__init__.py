"""How sharply experiments are read from each view: the figures that scenes of the bench are drawn with."""
