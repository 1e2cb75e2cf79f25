import os
import signal

from hypothesis import settings

from tests.tiny_models import tiny_model

__all__ = ["tiny_model"]

# Before torch is imported, here and in child processes: on busy cores, threads that wait for each other make tiny
# models many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Machines that run tests are shared: how long one example takes says nothing.
settings.register_profile("hpvqa", deadline=None)
settings.load_profile("hpvqa")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that; tests interrupt theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
