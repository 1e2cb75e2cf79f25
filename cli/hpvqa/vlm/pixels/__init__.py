"""The pixels baseline: measures displacement or rebound in the decoded frames, by a camera's calibration alone.

It shows that a clip holds the answer, and so how much a model could reach. It knows the task (two 5 cm objects stand on
the table, one on each side of the robot, and are pushed along x, or lifted by 0.3 m and dropped), the frame rate, and
the camera. It is not told the objects' colours and places, the light, what happens when, or anything else of it.
"""

from hpvqa.vlm.pixels.answerer import PixelsAnswerer
from hpvqa.vlm.pixels.measure import Measured, measure_clip

__all__ = ["Measured", "PixelsAnswerer", "measure_clip"]
