"""An error about a shard's reply says where in the reply, or what was found: an operator sees nothing else of it."""

import ast
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "shardgate"
ERRORS = {"BrokenReplyError", "OrderBrokenError", "ReplyTooLargeError"}


def blind(source: str) -> list[int]:
    """The lines that make such an error with neither `where` nor `log`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ERRORS
        and not {"where", "log"} & {keyword.arg for keyword in call.keywords}
    ]


def test_errors_of_replies_say_where_or_what() -> None:
    counts = Counter(str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") for _ in blind(file.read_text()))
    assert counts == {}


def test_a_blind_error_is_found() -> None:
    source = "raise BrokenReplyError('x')\nraise BrokenReplyError('x', log='y')\nraise OrderBrokenError('x', where='y')"
    assert blind(source) == [1]
