"""A dead worker's changes are gone on with after a moment, a living worker's never."""

from shardgate.core.changes.deaths import Deaths


def test_a_dead_worker_is_waited_for_and_a_living_one_is_never_due() -> None:
    deaths, living = Deaths(5.0), {"a"}
    assert deaths.due(["a", "b"], living.__contains__, 100.0) == frozenset()
    assert deaths.due(["a", "b"], living.__contains__, 104.9) == frozenset()
    assert deaths.due(["a", "b"], living.__contains__, 105.0) == {"b"}
    living.clear()
    assert deaths.due(["a", "b"], living.__contains__, 106.0) == {"b"}
    assert deaths.due(["a"], living.__contains__, 111.0) == {"a"}


def test_who_is_alive_at_one_look_was_not_dead_before() -> None:
    deaths = Deaths(5.0)
    deaths.due(["a"], lambda _: False, 0.0)
    deaths.due(["a"], lambda _: True, 3.0)
    assert deaths.due(["a"], lambda _: False, 6.0) == frozenset()
