"""The pixels baseline: measures what things do in the decoded frames, by a camera's calibration alone.

It shows that a clip holds the answer, and so how much a model could reach. It knows the task (what its things look like
and about where they start, and how a probe's outcome shows), the frame rate, and the camera. It is not told the things'
colours and places, the light, what happens when, or anything else of it.
"""

from hpvqa.vlm.pixels.answerer import PixelsAnswerer
from hpvqa.vlm.pixels.measure import Measured, measure_clip

__all__ = ["Measured", "PixelsAnswerer", "measure_clip"]
