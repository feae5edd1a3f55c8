"""Suggestions for names that do not exist."""

from shardgate.split.spelling import nearest


def test_the_most_similar_name_is_suggested_whatever_its_case() -> None:
    # Found: the suggestion was in lower case, which is another name in PostgreSQL.
    assert nearest("VENDER", ["Vendors", "events"]) == " Did you mean Vendors?"


def test_without_a_similar_name_nothing_is_suggested() -> None:
    assert nearest("xyz", ["vendors", "events"]) == ""
    assert nearest("vendors", []) == ""
