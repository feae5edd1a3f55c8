"""What the head of a reply says of its storage."""

from tests.core.replies.cache.heads import head


def test_names_in_any_case_and_fields_that_stand_twice() -> None:
    read = head("ETag: 1", "AGE: 1", "age: 2")
    assert read.only(b"etag") == b"1"
    assert read.only(b"age") is None
    assert list(read.all(b"age")) == [b"1", b"2"]
    assert read.only(b"date") is None


def test_vary_is_all_of_its_names() -> None:
    assert head("Vary: Accept , Accept-Language,", "vary: *").vary == {b"accept", b"accept-language", b"*"}


def test_what_is_public() -> None:
    assert head("Cache-Control: public").is_public
    assert head("Cache-Control: s-maxage=1").is_public
    assert not head("Cache-Control: max-age=1").is_public
