"""The base path of a shard, `/app` of `http://10.0.0.1/app`: put before what is asked, taken from what is answered.

A client knows nothing of it. So `Location`, `Content-Location`, `Link` and `Refresh` that lead below the base path lead
to the client's own path, and so does the `Path` of a cookie.

Holds: a reference to another host, or to a path outside of the base path, stays as it is.
Never: reads a body.
"""

import re
from collections.abc import Callable


class BasePath:
    """One base path; it begins with a slash, and does not end with one."""

    __slots__ = ("_cookie", "_reference", "path")

    def __init__(self, path: bytes) -> None:
        self.path = path
        below = re.escape(path)
        # A URI reference (RFC 3986 section 4.1): the whole value, in the brackets of a link, or behind `url=`.
        self._reference = re.compile(
            rb"(\A|<|url[ \t]*=[ \t]*[\"']?)[ \t]*((?:https?:)?//([^\s/?#<>\"',;\\]+))?%b(?=[/?#>\"' \t;]|\Z)(/?)"
            % below,
            re.IGNORECASE,
        )
        self._cookie = re.compile(rb"(;[ \t]*path[ \t]*=[ \t]*\"?)%b(?=[/\"; \t]|\Z)/?" % below, re.IGNORECASE)

    def joined(self, head: bytes) -> bytes:
        """The head of a request, with the base path before its target."""
        method, space, rest = head.partition(b" ")
        return b"%b%b%b%b" % (method, space, self.path, rest)

    def without(self, value: bytes, is_here: Callable[[bytes], bool]) -> bytes:
        """The value of a field with references, as the client reads it.

        `is_here`: whether an authority is this shard's, or what the client called.
        """

        def seen(reference: re.Match[bytes]) -> bytes:
            lead, begin, authority, _ = reference.groups()
            if authority is not None and not is_here(authority):
                return reference[0]
            if authority is None and value.startswith(b"/", reference.end()):
                return b"%b/./" % lead  # `//x` would be the host x (RFC 3986 section 4.2)
            return b"%b%b/" % (lead, begin or b"")

        return self._reference.sub(seen, value)

    def cookie(self, value: bytes) -> bytes:
        """A `Set-Cookie` for the client's own paths."""
        return self._cookie.sub(rb"\1/", value)
