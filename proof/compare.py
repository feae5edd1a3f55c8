"""Two answers to one request: equal, or what is different. What may differ is listed here and nowhere else."""

from collections.abc import Mapping

import httpx

# Who wrote it, and when; and how it travelled.
MAY_DIFFER = frozenset(
    {
        "connection",
        "content-length",  # the body is compared; HEAD has it from the same source
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
        "via",
        "x-request-id",
    }
)


def difference(expected: httpx.Response, answer: httpx.Response) -> str | None:
    """What differs first; None where the answers are one."""
    if (found := head_difference(expected, answer)) is not None:
        return found
    if answer.content != expected.content:
        return f"body {_first_difference(answer.content, expected.content)}"
    return None


def head_difference(expected: httpx.Response, answer: httpx.Response) -> str | None:
    """What differs in status and headers; the bodies are not looked at."""
    if answer.status_code != expected.status_code:
        said = f"{answer.text[:300]!r} instead of {expected.text[:300]!r}"
        return f"status {answer.status_code} instead of {expected.status_code}: {said}"
    ours, theirs = _meaning(answer.headers), _meaning(expected.headers)
    if ours != theirs:
        return f"headers {dict(ours.items() - theirs.items())} instead of {dict(theirs.items() - ours.items())}"
    return None


def _meaning(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in MAY_DIFFER}


def _first_difference(ours: bytes, theirs: bytes) -> str:
    place = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    start = max(0, place - 60)
    return f"at byte {place}: …{ours[start : place + 60]!r} instead of …{theirs[start : place + 60]!r}"
