"""Lines of code of what is compared: neither blank lines, nor comments, nor documentation count."""

import io
import tokenize

from bench.peers import CACHE

_ROOT = CACHE.parent
_NOT_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip
_POC = "bench/flask_poc"
SUBJECTS = {
    "PoC 1, Flask copy": [f"{_POC}/copied.py", f"{_POC}/synchroniser.py", f"{_POC}/table.py"],
    "PoC 2, Flask": [f"{_POC}/relay.py"],
    "PoC 2, Go": ["bench/peers/go/relay", "bench/peers/go/aggregate"],
    "shardgate": ["src/shardgate"],
}


def lines_of_code() -> dict[str, int]:
    """Of each subject."""
    return {subject: sum(map(_lines, paths)) for subject, paths in SUBJECTS.items()}


def _lines(path: str) -> int:
    there = _ROOT / path
    files = sorted([*there.rglob("*.py"), *there.rglob("*.go")]) if there.is_dir() else [there]
    return sum(python_lines(file.read_text()) if file.suffix == ".py" else go_lines(file.read_text()) for file in files)


def python_lines(text: str) -> int:
    """Lines with a token that is code; a string that is a statement by itself is documentation."""
    lines: set[int] = set()
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        documentation = token.type == tokenize.STRING and before in {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
        if token.type not in _NOT_CODE and not documentation:
            lines |= set(range(token.start[0], token.end[0] + 1))
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            before = token.type
    return len(lines)


def go_lines(text: str) -> int:
    """Lines that are neither blank nor a comment."""
    lines = [line.strip() for line in text.splitlines()]
    return len([line for line in lines if line and not line.startswith("//")])
