"""The bases of values in modules that are compiled (`hatch_build.py`).

mypyc does not pass the keywords of a class to its metaclass, but a base class does. So the values of those modules
inherit `frozen` and `gc` from here, and repeat them for mypy and for the reader.
"""

import msgspec


class Value(msgspec.Struct, frozen=True):
    """Made once, never changed."""


class LightValue(msgspec.Struct, frozen=True, gc=False):
    """The same, for values that are never part of a cycle: the garbage collector does not track them."""
