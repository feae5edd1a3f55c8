"""The study counts lines of code without blank lines, comments and docstrings."""

from bench.study.lines import go_lines, python_lines

PYTHON = '''"""What it is for.

More.
"""

import os  # why


def f() -> None:
    """Says."""
    # because
    x = """a
b"""
'''


def test_documentation_comments_and_blank_lines_are_no_code() -> None:
    assert python_lines(PYTHON) == 4


def test_a_go_comment_is_no_code() -> None:
    assert go_lines("// Package main\npackage main\n\nfunc main() { // start\n}\n") == 3
