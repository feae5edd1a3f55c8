"""What is kept for one rule stays within its bounds, and a change makes old what was asked for before it."""

from shardgate.core.http import Request
from shardgate.core.replies.cache.kept_replies import CHANGED_PATHS_MAX, VARIANTS_MAX, KeptReplies
from shardgate.core.replies.cache.keys import key_of
from shardgate.core.replies.cache.settings import CacheWords
from tests.core.replies.cache.heads import entry
from tests.core.requests import request

KEPT = "Cache-Control: public, max-age=60"


def put(store: KeptReplies, asked: Request, *lines: str, body: bytes = b"", at: float = 1.0) -> bool:
    return store.put(key_of(asked), asked.path, entry(KEPT, *lines, asked=asked, body=body), at)


def body(store: KeptReplies, asked: Request) -> bytes | None:
    found, _ = store.find(key_of(asked), asked)
    return None if found is None else found.reply.body


def test_the_bytes_are_bounded_and_what_was_used_last_stays() -> None:
    store = KeptReplies(CacheWords(bytes_max=65_536))
    for number in range(100):
        put(store, request(f"GET /{number}"), body=b"x" * 4000)
        assert body(store, request("GET /0")) is not None
        assert store.bytes <= 65_536
    assert store.entries == 10
    assert body(store, request("GET /1")) is None


def test_the_number_is_bounded() -> None:
    store = KeptReplies(CacheWords(entries_max=3))
    for number in range(10):
        put(store, request(f"GET /{number}"))
    assert store.entries == 3


def test_a_reply_takes_the_place_of_one_that_is_alike() -> None:
    store = KeptReplies(CacheWords())
    for text in (b"1", b"2"):
        put(store, request("GET /a"), body=text)
    assert (store.entries, body(store, request("GET /a"))) == (1, b"2")


def test_variants_are_bounded() -> None:
    store = KeptReplies(CacheWords())
    for number in range(100):
        put(store, request("GET /a", f"Accept-Language: {number}"), "Vary: Accept-Language", body=b"%d" % number)
    assert store.entries == VARIANTS_MAX
    assert body(store, request("GET /a", "Accept-Language: 99")) == b"99"
    assert store.find(key_of(request("GET /a")), request("GET /a")) == (None, True)


def test_a_long_reply_is_not_kept() -> None:
    store = KeptReplies(CacheWords(reply_bytes_max=10))
    assert not put(store, request("GET /a"), body=b"x" * 11)
    assert put(store, request("GET /a"), body=b"x" * 10)


def test_a_change_empties_its_path_whatever_the_query_and_the_slash() -> None:
    store = KeptReplies(CacheWords())
    for target in ("/a", "/a?x=1", "/a/", "/A", "/b"):
        put(store, request(f"GET {target}"))
    store.changed("/a", 2.0)
    assert store.entries == 1
    assert not put(store, request("GET /a"), at=1.5)
    assert put(store, request("GET /a"), at=2.5)
    assert put(store, request("GET /b"), at=1.5)


def test_changes_of_many_paths_are_forgotten_on_the_safe_side() -> None:
    store = KeptReplies(CacheWords())
    for number in range(CHANGED_PATHS_MAX + 1):
        store.changed(f"/{number}", float(number + 10))
    assert not put(store, request("GET /0"), at=10.0)
    assert put(store, request("GET /0"), at=11.0)


def test_what_is_dropped_is_gone_and_counted() -> None:
    store = KeptReplies(CacheWords())
    asked = request("GET /a")
    put(store, asked)
    found, _ = store.find(key_of(asked), asked)
    assert found is not None
    store.drop(key_of(asked), found)
    store.drop(key_of(asked), found)
    assert (store.entries, store.bytes) == (0, 0)


def test_what_clients_make_up_is_counted() -> None:
    # Fields of a request are part of the key, and of what a reply depends on.
    for line, vary in (("X-Long", ()), ("Accept-Language", ("Vary: Accept-Language",))):
        store = KeptReplies(CacheWords(bytes_max=65_536))
        for number in range(10):
            put(store, request(f"GET /{number}", f"{line}: {'x' * 20_000}"), *vary)
        assert store.entries == 2
        assert 40_000 < store.bytes <= 65_536


def test_a_change_of_a_long_path_counts_for_all() -> None:
    store = KeptReplies(CacheWords())
    store.changed("/" + "x" * 10_000, 2.0)
    assert not put(store, request("GET /a"), at=1.5)
    assert put(store, request("GET /a"), at=2.5)
