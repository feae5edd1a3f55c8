"""Each module has a test of its own at the mirrored path, or is listed with a reason why not."""

from tests.house.mirror import listed, modules, test_of


def test_each_module_has_a_test_of_its_own_or_a_reason() -> None:
    without = {module for module in modules() if not test_of(module).exists()}
    assert without - listed().keys() == set(), "write the test at the mirrored path"


def test_the_list_only_gets_shorter() -> None:
    there = modules()
    over = {module for module in listed() if module not in there or test_of(module).exists()}
    assert over == set(), "they have a test by now, or are gone: python -m tests.house.mirror"


def test_every_reason_is_a_reason() -> None:
    assert all(len(reason) > 20 for reason in listed().values())
