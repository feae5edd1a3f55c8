"""Templates as documents of frameworks write them: read as the framework does, or a mistake."""

import pytest

from shardgate.core.routes.template import canonical, check_template


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("/a/{id}", "/a/{id}"),
        ("/a/{id:int}", "/a/{id}"),
        ("/a/{item-id:[0-9]+}", "/a/{item-id}"),
        ("/a/{id:[0-9]{2,4}}", "/a/{id}"),
        ("/a/{id:[^/]+}", "/a/{id}"),
        ("/a/{id:[^/.]{1,9}}.json", "/a/{id}.json"),
        ("/a/{y:\\d{4}}-{m:\\d{2}}", "/a/{y}-{m}"),
        ("/a/{p:path}", "/a/**"),
        ("/a/{p:.*}", "/a/**"),
        ("/a/{p:[a-z/]+}", "/a/**"),
        ("/a/{p...}", "/a/**"),
        ("/a/{*p}", "/a/**"),
        ("/a/{p*}", "/a/**"),
    ],
)
def test_what_a_variable_says_of_its_values_is_read(written: str, read: str) -> None:
    # Found: patterns with braces or slashes were "braces without a name".
    assert canonical(written) == read
    assert list(check_template(canonical(written))) == []


@pytest.mark.parametrize(
    "template",
    [
        "/a/:id", "/a/:id?", "/a/:id/b", "/a/<id>", "/a/<int:id>/b", "/a/{id}*", "/a/{;id}", "/a/{?id,b}", "/a/{&id}",
        "/a/{p:path}/content", "/a/{p:.+}/b",
    ],
)  # fmt: skip
def test_what_no_request_would_match_is_a_mistake(template: str) -> None:
    # Found: `check` called these right, and each request for them was a 404.
    (mistake,) = check_template(canonical(template))
    assert mistake.cure.startswith("write ")


@pytest.mark.parametrize(
    "template", ["/v1/{name}:cancel", "/v1/items:batchGet", "/a/{lat},{lon}", "/j({id})", "/a/{id}.json"]
)
def test_other_marks_beside_a_variable_stay(template: str) -> None:
    assert (canonical(template), list(check_template(template))) == (template, [])
