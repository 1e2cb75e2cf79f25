import signal

from hypothesis import settings

from tests.tiny_models import tiny_model

__all__ = ["tiny_model"]

# Machines that run tests are shared: how long one example takes says nothing.
settings.register_profile("hpvqa", deadline=None)
settings.load_profile("hpvqa")

# A shell starts background jobs with Ctrl-C ignored, and children inherit that; tests interrupt theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)
