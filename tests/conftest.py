"""Settings for every test."""

import os

from hypothesis import settings

# No deadline: how long an example takes is no fact about this package on a busy machine. CI draws
# the same examples every time, so that a change is judged by what it changes; elsewhere they vary.
settings.register_profile("laws", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("laws")
