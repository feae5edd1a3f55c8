"""Each module has a test of its own at the mirrored path, or is listed with a reason why not."""

from tests.house.mirror import covers, listed, mirrored, pruned, without


def test_each_module_has_a_test_of_its_own_or_a_reason() -> None:
    missing = {module for module in without() if not any(covers(line, module) for line in listed())}
    assert missing == set(), "write the test at the mirrored path"


def test_the_list_only_gets_shorter() -> None:
    left = without()
    over = {line for line in listed() if not any(covers(line, module) for module in left)}
    assert over == set(), "they have a test by now, or are gone: python -m tests.house.mirror"


def test_every_reason_is_a_reason() -> None:
    assert all(len(reason) > 20 for reason in listed().values())


def test_where_a_test_belongs_and_what_a_line_covers() -> None:
    assert mirrored("core/json/array").parts[-4:] == ("tests", "core", "json", "test_array.py")
    assert covers("split/", "split/run")
    assert covers("core/http", "core/http")
    assert not covers("core/http", "core/http_other")
    assert pruned("# a reason\nno/such/module\n\n") == "# a reason\n\n"
