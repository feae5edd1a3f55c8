"""Every word of the glossary is used in the code, and has one meaning."""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_WORD = re.compile(r"\*\*([^*]+)\*\*")


def words() -> list[str]:
    """The bold words of GLOSSARY.md."""
    return _WORD.findall((ROOT / "GLOSSARY.md").read_text())


def used(source: str) -> str:
    """Identifiers, docstrings and comments in small letters; `HeldBytes` and `held_bytes` are two words."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    kinds = {tokenize.NAME, tokenize.COMMENT}
    names = [token.string for token in tokens if token.type in kinds or token.string.startswith('"""')]
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", " ".join(names))
    return " ".join(split.lower().split())


@pytest.fixture(scope="module")
def code() -> str:
    return " ".join(used(file.read_text()) for file in sorted((ROOT / "src" / "shardgate").rglob("*.py")))


def test_no_word_stands_twice() -> None:
    found = [word.lower() for word in words()]
    assert len(found) > 40
    assert sorted(set(found)) == sorted(found)


def test_every_word_is_used_in_the_code(code: str) -> None:
    unused = [word for word in words() if not re.search(rf"\b{re.escape(word.lower())}(?:s|es|d|ed)?\b", code)]
    assert unused == []


def test_the_table_is_in_alphabetical_order() -> None:
    rows = re.findall(r"^\| \*\*([^*]+)\*\*", (ROOT / "GLOSSARY.md").read_text(), re.MULTILINE)
    assert rows == sorted(rows, key=str.lower)


def test_words_are_found_in_names_docstrings_and_comments_alone() -> None:
    source = 'class HeldBytes:\n    """Of a *worker*."""\n    text_of = "other"  # why\n'
    assert used(source) == 'class held bytes """of a *worker*.""" text of # why'
