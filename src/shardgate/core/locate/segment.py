"""Which keys can be a segment of a path, so that a look-up of a key never asks for another path."""


def is_segment(key: str) -> bool:
    """Whether every server reads the quoted key as one segment: not empty, not `.` or `..`, and without a separator."""
    return key not in {"", ".", ".."} and not any(mark in key for mark in "/\\;\0%")
