"""New ids, of random numbers that nobody can guess."""

from collections.abc import Mapping
from secrets import randbits

from shardgate.core.changes.ids import bits_of, id_of


def new_ids(forms: Mapping[str, str]) -> dict[str, str]:
    """A new id of each form, by the same names."""
    return {name: id_of(form, randbits(bits_of(form))) for name, form in forms.items()}
