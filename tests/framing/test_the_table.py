"""The table is as large as it says, and each case is a case of its own."""

from tests.framing import (
    test_chunks,
    test_conversations,
    test_fields,
    test_lengths,
    test_reply_bodies,
    test_reply_heads,
    test_request_lines,
)

REQUESTS = [*test_chunks.CASES, *test_conversations.CASES, *test_fields.CASES, *test_fields.KEYS, *test_lengths.CASES]
REQUESTS += test_request_lines.CASES
REPLIES = [*test_reply_heads.CASES, *test_reply_bodies.CASES]


def test_no_two_cases_send_the_same_bytes() -> None:
    sent = [case.bytes_sent for case in REQUESTS]
    twice = [case.name for case in REQUESTS if sent.count(case.bytes_sent) > 1]
    assert not twice
    said = [(case.says, case.ask, case.minor, case.ends) for case in REPLIES]
    twice = [case.name for case, says in zip(REPLIES, said, strict=True) if said.count(says) > 1]
    assert not twice


def test_there_are_many_of_either_verdict() -> None:
    refused = [case for case in REQUESTS if not case.arrives]
    assert len(REQUESTS) + len(REPLIES) >= 600
    assert len(refused) >= 250
    assert len(REQUESTS) - len(refused) >= 150
    assert len([case for case in REPLIES if case.code or case.breaks]) >= 100
