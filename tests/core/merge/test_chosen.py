"""One of several merges, chosen by the parameters that are there: which one, and what is refused."""

from typing import Any

import msgspec
import pytest

from shardgate.core.errors import UnreadablePageError
from shardgate.core.merge.chosen import Chosen
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.numbers import Numbers
from tests.core.requests import request

REPORT: dict[str, Any] = {
    "kind": "chosen",
    "choices": [{"when": "group_by=city", "merge": {"kind": "groups", "key": "city", "sum": ["orders"]}}],
    "otherwise": {"kind": "numbers", "sum": ["orders"]},
}
OFFSET = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
PAGES = {"kind": "list", "dialect": {"kind": "pages", "limit_default": 5, "limit_max": 9}, "keys": {"id": "text"}}


def made(**fields: Any) -> Chosen:
    return msgspec.convert({**REPORT, **fields}, Chosen)


def paged(**fields: Any) -> Chosen:
    choices = [{"when": ["page", "page_size"], "merge": PAGES}, {"when": "limit", "merge": OFFSET}]
    return made(choices=choices, otherwise=OFFSET, **fields)


def test_l19_the_merge_of_a_report_is_chosen_by_a_parameters_value() -> None:
    rule = made()
    assert isinstance(rule.merge_for("group_by=city&from=2026"), Groups)
    for query in ("", "group_by=day", "group_by=", "from=2026"):
        assert isinstance(rule.merge_for(query), Numbers)
    with pytest.raises(UnreadablePageError, match="`group_by` stands twice"):
        rule.merge_for("group_by=city&group_by=day")


def test_l10_a_mixture_is_refused_unless_the_application_ignores_it() -> None:
    with pytest.raises(UnreadablePageError, match="the parameter `limit` is not accepted beside `page`"):
        paged().merge_for("page=2&limit=5")
    with pytest.raises(UnreadablePageError, match="`page` is not accepted"):
        made(choices=[{"when": "view=all", "merge": OFFSET}], otherwise=PAGES).merge_for("view=all&page=2")
    rule = paged(mixed="ignore")
    assert rule.merge_for("page=2&limit=5") == rule.choices[0].merge
    assert paged().merge_for("page_size=2&order=id") == paged().choices[0].merge
    assert paged().merge_for("order=id") == paged().otherwise


def test_what_counts_as_given_is_said_by_the_rule() -> None:
    for given, query, taken in [
        ("named", "page=", 0),
        ("filled", "page=", None),
        ("filled", "page=x", 0),
        ("number", "page=x", None),
        ("number", "page=%203x", 0),
        ("number", "page=-1", 0),
    ]:
        rule = paged(given=given)
        expected = rule.otherwise if taken is None else rule.choices[taken].merge
        assert rule.merge_for(query) == expected, (given, query)


def test_a_number_in_another_spelling_is_the_same_choice() -> None:
    # Found: json-server 1.0 gives all rows for `_page=00` and the first page for `_page=-3`; which of them was decided
    # by the text of the number.
    choices = [{"when": "page=0", "merge": OFFSET}, {"when": "page", "merge": PAGES}]
    rule = made(choices=choices, otherwise=OFFSET, given="number", mixed="ignore")
    for text, taken in {"0": 0, "00": 0, "-0": 0, "0.5": 0, "%2B0": 0, "1": 1, "-3": 1, "10": 1, "0x10": 1}.items():
        assert rule.merge_for(f"page={text}") == rule.choices[taken].merge, text
    # Found: JavaScript reads a number behind a no-break space; it was taken for a parameter that is not there.
    assert rule.merge_for("page=%C2%A05") == rule.choices[1].merge
    assert rule.merge_for("page=%C2%A0x") == rule.otherwise
    named = made(choices=choices, otherwise=OFFSET, mixed="ignore")
    assert named.merge_for("page=00") == named.choices[1].merge


def test_a_name_in_another_spelling() -> None:
    with pytest.raises(UnreadablePageError, match="`Page` can be read as `page`"):
        paged().merge_for("Page=2")
    assert paged(names="exact").merge_for("Page=2") == paged().otherwise
    assert paged(names="any_case").merge_for("Page=2") == paged().choices[0].merge
    with pytest.raises(UnreadablePageError, match="not accepted beside `page`"):
        paged(names="any_case").merge_for("Page=2&LIMIT=3")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"choices": []}, "there is no choice"),
        ({"choices": [{"when": [], "merge": OFFSET}]}, "`when` names parameters"),
        ({"choices": [{"when": "", "merge": OFFSET}]}, "`when` has an empty text"),
        ({"choices": [{"when": "=5", "merge": OFFSET}]}, "`when` names parameters"),
        (
            {"choices": [{"when": "offset", "merge": OFFSET}]},
            "not always sent `offset`, .* write `states_offset: true`",
        ),
        ({"choices": [{"when": w, "merge": OFFSET} for w in ("a", "a&b")]}, "the choice of `a&b` is never taken"),
        ({"choices": [{"when": w, "merge": OFFSET} for w in ("a=5", "a")]}, None),
        ({"choices": [{"when": w, "merge": OFFSET} for w in ("a", "a=5")]}, "the choice of `a=5` is never taken"),
        ({"choices": [{"when": "a", "merge": REPORT}]}, "Invalid value 'chosen'"),
    ],
)
def test_a_choice_that_cannot_be_right_is_a_mistake(fields: dict[str, Any], problem: str | None) -> None:
    if problem is None:
        made(**fields)
        return
    with pytest.raises(msgspec.ValidationError, match=problem):
        made(**fields)


def test_a_cursor_chooses_nothing_as_the_first_page_has_none() -> None:
    by_id = {"kind": "list", "dialect": {"kind": "id_cursor", "limit_default": 5}, "keys": {"id": "text"}}
    with pytest.raises(msgspec.ValidationError, match="not always sent `starting_after`"):
        made(choices=[{"when": "starting_after", "merge": by_id}])


def test_how_the_merge_is_chosen_is_described() -> None:
    assert (
        made().describe()
        == "where `group_by=city` is given groups by city, sums of orders; otherwise one object: sums of orders"
    )
    begun = made().begin(request("GET /report?group_by=city"), ("north", "south"))
    assert begun.explain() == ["groups by city, sums of orders"]
