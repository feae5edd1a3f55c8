"""The bases of values in modules that are compiled (`hatch_build.py` names them).

mypyc does not hand the keywords of a class on to its metaclass. A base does: so the values of those modules have
theirs from here, and repeat them for mypy and for whoever reads.
"""

import msgspec


class Value(msgspec.Struct, frozen=True):
    """Made once, never changed."""


class LightValue(msgspec.Struct, frozen=True, gc=False):
    """The same, and nothing that it refers to refers back: the garbage collector need not look at it."""
