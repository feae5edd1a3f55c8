"""Whose change is recent: by what the head of a request says of its client."""

from shardgate.net.upstream.own_changes import OwnChanges


def head(*lines: str) -> bytes:
    return "\r\n".join(["GET /any HTTP/1.1", "Host: a", *lines, "", ""]).encode()


ANN, BOB = head("Authorization: Bearer ann"), head("Authorization: Bearer bob")


def test_a_change_is_recent_for_its_client_alone_and_for_a_time() -> None:
    own = OwnChanges()
    own.note(ANN, 100.0)
    assert own.are_recent(ANN, 104.9, 5.0)
    assert not own.are_recent(ANN, 105.0, 5.0)
    assert not own.are_recent(BOB, 100.0, 5.0)


def test_a_client_is_known_by_any_credential_in_whatever_case() -> None:
    own = OwnChanges()
    own.note(head("cookie: session=1", "X-Any: 1"), 100.0)
    assert own.are_recent(head("X-Other: 2", "Cookie: session=1"), 101.0, 5.0)
    assert not own.are_recent(head("Cookie: session=2"), 101.0, 5.0)


def test_clients_without_credentials_count_as_one() -> None:
    own = OwnChanges()
    own.note(head("X-Any: 1"), 100.0)
    assert own.are_recent(head("X-Other: 2"), 101.0, 5.0)


def test_nothing_was_changed_before_the_gateway_was_started() -> None:
    assert not OwnChanges().are_recent(ANN, 1e6, 5.0)
