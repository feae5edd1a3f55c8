"""What a change is about: the path of the thing that it makes or changes. Changes of one thing keep their order.

Two changes are of one thing where their paths are equal, or where one leads to something below the other:
`/orders/7` and `/orders/7/payments`, or `/orders` and `/orders/7`.

Holds: paths are compared as the laxest application compares them: without regard to case, accents and percent-encoding.
Two changes of one thing are never taken for changes of two; the other mistake only costs a wait.
"""

import unicodedata
from urllib.parse import unquote

from shardgate.core.changes.entry import Entry
from shardgate.core.wire.path import filled


def thing_of(entry: Entry) -> str:
    """The thing of a change; empty where it cannot be told apart from any other."""
    shown = None if entry.terms.check is None else filled(entry.terms.check, entry.variables)
    return folded(entry.request.target.decode("latin-1") if shown is None else shown)


def folded(path: str) -> str:
    """A path, or a target, as the laxest application compares it."""
    segments = [unquote(segment, errors="replace") for segment in path.partition("?")[0].split("/") if segment]
    # A separator within a segment must not look like one between two.
    return "".join([f"/{_plain(segment).replace('/', '%2f')}" for segment in segments])


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join([letter for letter in apart if not unicodedata.combining(letter)]).strip()
