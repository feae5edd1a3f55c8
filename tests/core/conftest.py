"""Properties are not timed: the first example pays for what is compiled once."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
