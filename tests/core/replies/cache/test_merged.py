"""What a merged reply says of caches follows from all parts: the strictest."""

import pytest

from shardgate.core.replies.cache.merged import MergedCaching
from tests.core.replies.cache.heads import fields


def merged(*parts: tuple[str, ...]) -> dict[bytes, bytes]:
    caching = MergedCaching()
    for part in parts:
        caching.add(200, fields(*part))
    return dict(caching.apply(fields("Content-Type: x", *parts[0])))


PUBLIC = "Cache-Control: public, max-age=60"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((PUBLIC,), (PUBLIC,), b"public, max-age=60"),
        ((PUBLIC,), ("Cache-Control: public, max-age=5",), b"public, max-age=5"),
        ((PUBLIC, "Age: 50"), (PUBLIC,), b"public, max-age=10"),
        ((PUBLIC, "Age: 70"), (PUBLIC,), b"public, max-age=0"),
        ((PUBLIC,), ("Cache-Control: max-age=60",), b"max-age=60"),
        ((PUBLIC,), (), None),
        ((PUBLIC,), ("Cache-Control: private, max-age=60",), b"private, max-age=60"),
        ((PUBLIC,), ("Cache-Control: no-store",), b"no-store"),
        ((PUBLIC,), (PUBLIC, "Set-Cookie: a=1"), b"private, max-age=60"),
        ((f"{PUBLIC}, must-revalidate",), (PUBLIC,), b"must-revalidate, public, max-age=60"),
        (("Cache-Control: s-maxage=9, max-age=3",), (f"{PUBLIC}",), b"s-maxage=9, max-age=3"),
        # One part is not open to clients with credentials: nothing may be said that opens the whole to them.
        (("Cache-Control: s-maxage=9, max-age=30",), ("Cache-Control: max-age=5",), b"proxy-revalidate, max-age=5"),
        (("Cache-Control: s-maxage=3, max-age=30",), ("Cache-Control: max-age=5",), b"proxy-revalidate, max-age=3"),
        ((f"{PUBLIC}, must-revalidate",), ("Cache-Control: max-age=5",), b"no-cache, max-age=5"),
        ((f"{PUBLIC}, must-revalidate",), ("Cache-Control: no-cache, max-age=5",), b"no-cache, max-age=5"),
        (("Cache-Control: s-maxage=9",), (PUBLIC,), b"s-maxage=9"),
        ((f"{PUBLIC}, stale-if-error=9",), (f"{PUBLIC}, stale-if-error=5",), b"public, max-age=60, stale-if-error=5"),
        ((f"{PUBLIC}, stale-if-error=9",), (PUBLIC,), b"public, max-age=60"),
        (
            ("Date: Tue, 01 Jan 2019 00:00:00 GMT", "Expires: Tue, 01 Jan 2019 00:00:30 GMT"),
            ("Cache-Control: max-age=60",),
            b"max-age=30",
        ),
    ],
)
def test_the_strictest_counts(one: tuple[str, ...], other: tuple[str, ...], said: bytes | None) -> None:
    for parts in ((one, other), (other, one)):
        found = merged(*parts)
        assert found.get(b"Cache-Control") == said
        assert found[b"Content-Type"] == b"x"
        assert b"Expires" not in found
        assert b"Age" not in found


def test_vary_is_all_of_them() -> None:
    assert merged((PUBLIC, "Vary: b, a"), (PUBLIC, "Vary: c"))[b"Vary"] == b"a, b, c"
    assert merged((PUBLIC,), (PUBLIC, "Vary: c, *"))[b"Vary"] == b"*"
