"""Each mistake is told once, with what to write instead; and what is written as the cure says is right, and serves."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, Loaded, load
from shardgate.core.contracts import Known
from shardgate.core.errors import NotServedError
from shardgate.core.http import Reply
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.plan.plan import ToGather, ToOne
from shardgate.core.plan.planner import plan_request
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.table import RouteTable
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.words import PAGES, RENAMED, page_of
from shardgate.core.rules import Rule
from shardgate.core.topology import Topology
from tests.core.requests import request

ROOT = Path(__file__).resolve().parents[2]
SHARDS = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
LOCATORS = {"event": [{"kind": "hash"}]}
LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
GATHER = {"rule": "gather", "merge": LIST}
ONE = {"rule": "one", "key": "path.id", "locate": "event"}


def written(folder: Path, rules: dict[str, Any], **more: Any) -> Path:
    file = folder / "shardgate.yaml"
    config = {"shards": SHARDS, "locators": LOCATORS, "rules": rules, **more}
    file.write_text(yaml.safe_dump({name: value for name, value in config.items() if value is not None}))
    return file


def mistakes(folder: Path, rules: dict[str, Any], **more: Any) -> list[str]:
    """`path: problem → cure`"""
    try:
        load(written(folder, rules, **more))
    except ConfigError as error:
        return [f"{m.path.partition(': ')[2]}: {m.problem} → {m.cure}" for m in error.mistakes]
    return []


# All at once.


def test_an_unknown_field_hides_nothing_behind_it(tmp_path: Path) -> None:
    # Found: `check` named the first unknown field, and no other mistake.
    rules = {
        "GET /a/{id}": {"rule": "one", "kye": "path.id", "locate": "evnt"},
        "GET /b/{id}": {"rule": "one", "locate": "evnt"},
        "GET /c": {"rule": "gathr", "merge": {**LIST, "tie": "x"}},
    }
    (tmp_path / "shardgate.yaml").write_text(
        yaml.safe_dump({"shard": SHARDS, "locators": LOCATORS, "lisen": "here", "rules": rules, "workers": "many"})
    )
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "shardgate.yaml")
    said = [f"{m.path.partition(': ')[2]}: {m.problem} → {m.cure}" for m in raised.value.mistakes]
    assert sorted(said) == [
        "lisen: unknown field `lisen` → did you mean `listen`?",
        "listen: 'here' is no address → write it as `127.0.0.1:8080`",
        "rules.GET /a/{id}.kye: unknown field `kye` → did you mean `key`?",
        "rules.GET /a/{id}.locate: no locator is named 'evnt' → did you mean 'event'?",
        "rules.GET /b/{id}.locate: no locator is named 'evnt' → did you mean 'event'?",
        "rules.GET /b/{id}: it lacks the field `key` → add it; docs/reference/rules.md says what it means",
        "rules.GET /c.rule: unknown word 'gathr' → did you mean `gather`? There are: one, any, gather, every, place, "
        "divide, batch",
        "shard: unknown field `shard` → did you mean `shards`?",
        "workers: expected a whole number, got text → write it as docs/reference/index.md says",
    ]


def test_a_mistake_in_a_dialect_is_told_once_where_it_stands(tmp_path: Path) -> None:
    # Found: it was told of each rule that names the dialect, and not at all where none does.
    merge = {**LIST, "dialect": "mine"}
    rules = {path: {"rule": "gather", "merge": merge} for path in ("GET /a", "GET /b")}
    dialects = {"mine": {"kind": "offset", "limit_maxx": 3}, "unused": {"kind": "ofset"}}
    said = mistakes(tmp_path, rules, dialects=dialects)
    assert [line.partition(" There are")[0] for line in said] == [
        "dialects.mine.limit_maxx: unknown field `limit_maxx` → did you mean `limit_max`?",
        "dialects.unused.kind: unknown word 'ofset' → did you mean `offset`?",
    ]


def test_what_is_missing_far_inside_hides_nothing(tmp_path: Path) -> None:
    rule = {**ONE, "key": "path.none", "change": {"undo": {"method": "DELETE"}}}
    said = mistakes(tmp_path, {"PUT /a/{id}": rule})
    assert [line.partition(" → ")[0] for line in said] == [
        "rules.PUT /a/{id}.change: it lacks the field `read`",
        "rules.PUT /a/{id}.change.undo: it lacks the field `path`",
        "rules.PUT /a/{id}.key: the path has no variable 'none'",
    ]


def test_a_list_with_a_wrong_item_names_each_by_its_own_number(tmp_path: Path) -> None:
    # Found: a wrong item was taken out, so that the next one had its number.
    chain = [7, {"kind": "hash"}, {"kind": "none"}]
    said = mistakes(tmp_path, {"GET /a/{id}": ONE}, locators={"event": chain})
    assert [line.partition(": ")[0] for line in said] == ["locators.event[0]", "locators.event[2].kind"]


def test_an_unknown_field_without_a_near_one_is_answered_by_those_that_there_are(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, {"GET /a": {"rule": "any", "zzz": 1}})
    cure = "remove it; there are: deadline_s, retry, hedge, breaker, failure_is, cache, coalesce, idempotency, rule"
    assert said == f"rules.GET /a.zzz: unknown field `zzz` → {cure}"


# Old words.


def test_an_old_field_is_answered_by_the_new_one(tmp_path: Path) -> None:
    merge = {"kind": "first", "not_found": [404, 410]}
    (said,) = mistakes(tmp_path, {"GET /a": {"rule": "gather", "merge": merge}})
    assert said.endswith("write `not_here`: 'not_found' is its old name")


@pytest.mark.parametrize("old", [old for old in RENAMED if old[1] is not None])
def test_an_old_word_is_answered_by_the_new_one(old: tuple[str, str]) -> None:
    field, word = old
    rule = {"rule": "divide", "key": "d", "locate": "event", field: word}
    found: list[Mistake] = []
    assert convert_all(rule, Rule, "", found) is not None
    assert found[0].path == field
    assert found[0].cure == f"write `{field}: {RENAMED[old]}`: {word!r} is the old word for it"
    assert len(found) == 1


def test_a_rule_with_old_words_is_checked_by_the_new_ones(tmp_path: Path) -> None:
    rule = {"rule": "split", "mode": "together", "key": "d", "locate": "none"}
    said = mistakes(tmp_path, {"POST /a": rule})
    assert [line.partition(" → ")[1] for line in said] == [" → "] * 3
    assert any("write `rule: divide`" in line for line in said)
    assert any("write `mode: all_or_none`" in line for line in said)
    assert any("no locator is named 'none'" in line for line in said)


# Pages.


def test_every_page_that_a_cure_names_is_there() -> None:
    for page in PAGES:
        assert (ROOT / f"docs/reference/{page}.md").is_file(), page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("listen", "index"),
        ("shards.north", "index"),
        ("shards.north.ca", "tls"),
        ("rules.GET /x.key", "rules"),
        ("rules.GET /x.merge.kind", "merges"),
        ("rules.GET /x.merge.keys.id", "lists"),
        ("rules.GET /x.merge.dialect.limit", "dialects"),
        ("openapi: paths./x.get.x-shardgate.locate", "rules"),
        ("openapi: x-shardgate.locators.event[0]", "locators"),
        ("dialects.mine.limit", "dialects"),
        ("locators.event[0].path", "locators"),
        ("rules.POST /x.undo.path", "changes"),
        ("rules.POST /x.policy.weights", "place"),
        ("rules.POST /x.idempotency.key", "idempotency"),
        ("rules.POST /x.change.share", "parts"),
        ("idempotency.expires_s", "idempotency"),
        ("clients.jwt.key_env", "clients"),
        ("limits.held_bytes_max", "limits"),
        ("journal.kept_s", "operating"),
    ],
)
def test_a_cure_names_the_page_of_its_place(path: str, page: str) -> None:
    assert page_of(path) == f"docs/reference/{page}.md"


# Cures that led in a circle.


def served(loaded: Loaded, line: str, body: bytes = b"") -> Any:
    asked = request(line, body=body)
    route, variables = RouteTable(loaded.routes).match(asked.method, asked.path)
    return plan_request(asked, route, variables, Known(Topology(loaded.shards), LearnedKeys(9)), lambda: 0.0)


def test_a_tie_with_a_minus_descends_and_serves(tmp_path: Path) -> None:
    # Found: `tie: -id` made a configuration that was called right, and answered 502 to every request.
    merge = {**LIST, "tie": "-id"}
    plan = served(load(written(tmp_path, {"GET /a": {"rule": "gather", "merge": merge}})), "GET /a")
    assert isinstance(plan, ToGather)
    taken = plan.merging.take({"north": Reply(200, [], b'[{"id":"1"}]'), "south": Reply(200, [], b'[{"id":"2"}]')})
    assert isinstance(taken, Reply)
    assert taken.body == b'[{"id":"1"},{"id":"2"}]'  # the default order is by `id` itself, ascending


def test_an_order_that_names_a_key_twice_is_a_mistake(tmp_path: Path) -> None:
    # Found: every request was sent to the shards as it came, and their rows were called broken.
    rule = {"rule": "gather", "merge": {**LIST, "default_order": ["id", "-id"]}}
    assert mistakes(tmp_path, {"GET /a": rule}) == [
        "rules.GET /a.merge.default_order: 'id' stands twice → remove one of the two"
    ]


def test_what_cannot_be_served_can_be_moved_to_unserved(tmp_path: Path) -> None:
    # Found: the cure was to list it under `unserved`, where it was "no such operation".
    rules = {"GET /r/{id}{format}": {"rule": "any"}, "GET /r/{id}": ONE, "POST /a": GATHER}
    first, second = mistakes(tmp_path, rules)
    assert first.endswith("make one variable of the two, or move the operation to `unserved`")
    assert "or move it to `unserved`" in second
    left = {"GET /r/{id}": ONE}
    unserved = {"GET /r/{id}{format}": "later", "GET /r/{id}.pdf": "later", "POST /a": "later"}
    loaded = load(written(tmp_path, left, unserved=unserved))
    assert isinstance(served(loaded, "GET /r/777"), ToOne)
    with pytest.raises(NotServedError):
        served(loaded, "GET /r/7.pdf")


def test_of_two_names_of_one_path_one_can_be_moved_to_unserved(tmp_path: Path) -> None:
    # Found: the document of an application has both, and neither could be removed.
    (said,) = mistakes(tmp_path, {"GET /a/{x}": {"rule": "any"}, "GET /a/{id}": ONE})
    assert said.endswith("remove one of the two, or move it to `unserved`: the other is then served")
    loaded = load(written(tmp_path, {"GET /a/{id}": ONE}, unserved={"GET /a/{x}": "the same as /a/{id}"}))
    assert isinstance(served(loaded, "GET /a/7"), ToOne)


def test_a_slash_at_the_end_is_another_path_where_the_configuration_says_so(tmp_path: Path) -> None:
    rules = {"GET /a": {"rule": "any"}, "GET /a/": {"rule": "any"}}
    assert len(mistakes(tmp_path, rules)) == 1
    loaded = load(written(tmp_path, rules, trailing_slash="distinct"))
    assert served(loaded, "GET /a/").route.template == "/a/"


def test_the_path_of_a_document_that_no_request_can_have_is_unserved_without_harm(tmp_path: Path) -> None:
    # Found: `/a//b` ended the start of the gateway, though it was not served.
    paths = ["/a//b", "/é", "/a/../b", "/x;y", "/x#y", "/x/{id}.pdf", "/y/{a}{b}"]
    (tmp_path / "api.json").write_text(json.dumps({"paths": {path: {"get": {}} for path in paths}}))
    unserved = {f"GET {path}": "later" for path in paths}
    loaded = load(written(tmp_path, {"GET /a": {"rule": "any"}}, unserved=unserved, openapi="api.json"))
    assert served(loaded, "GET /a").route.template == "/a"


def test_a_source_of_the_path_is_answered_by_the_variables(tmp_path: Path) -> None:
    # Found: "take one of /a/{x}" is the path, and not what to write.
    (said,) = mistakes(tmp_path, {"GET /a/{x}/{y}": {**ONE, "key": "path.z"}})
    assert said.endswith("take one of path.x, path.y")
    (said,) = mistakes(tmp_path, {"GET /a": {**ONE, "key": "path.z"}})
    assert said.endswith("take another place of the request, like `query.id` or `body.id`")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "rule", [GATHER, {"rule": "every", "repeat": True, "mode": "eventual"}], ids=["gather", "every"]
)
def test_a_rule_that_a_method_cannot_have_is_answered_by_one_that_it_can(
    tmp_path: Path, rule: dict[str, Any], method: str
) -> None:
    # Found: `search` was named for methods that it is not for, and `gather` for OPTIONS.
    cures = [line.partition(" → ")[2] for line in mistakes(tmp_path, {f"{method} /a": rule}, store="s.db")]
    search = {"rule": "gather", "merge": {**LIST, "dialect": {"kind": "search"}}}
    named = {"`any`": {"rule": "any"}, "`gather`": GATHER, "search": search}
    for cure in cures:
        for word, other in named.items():
            if word in cure:
                assert mistakes(tmp_path, {f"{method} /a": other}) == []


def test_a_name_that_nothing_has_is_answered_by_what_to_add(tmp_path: Path) -> None:
    # Found: "there are none: add one, or remove this", and a rule without it lacks the field.
    merge = {**LIST, "dialect": "mine"}
    rules = {"GET /a/{id}": ONE, "GET /a": {"rule": "gather", "merge": merge}}
    said = mistakes(tmp_path, rules, locators=None)
    assert sorted(line.partition(" → ")[2] for line in said) == [
        "add `event: [{kind: directory}]` under `locators`",
        "add `mine: {kind: offset}` under `dialects`",
    ]
    added = {"locators": {"event": [{"kind": "directory"}]}, "dialects": {"mine": {"kind": "offset"}}}
    assert mistakes(tmp_path, rules, **added) == []


# What was called right, and failed when it was asked for.


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("ALL /a", "ALL is not a method → write `ANY /a` for every method"),
        ("get /a", "a method is written in capital letters → write `GET /a`"),
        ("Get /a", "a method is written in capital letters → write `GET /a`"),
        ("LINK /a", "'LINK' is not a method → take one of GET, HEAD, POST"),
        ("TRACE /a", "'TRACE' is not a method"),
        ("GET /files/*", "'*' matches only itself, not every path → write `/files/{name}` for one segment, or"),
        ("GET /**/files", "'**' matches only itself, not every path → write `/files/{name}` for one segment, or"),
        ("GET /files/{rest:path}", "'rest:path' is not a name of a variable → write `{name}`"),
        ("GET /a/{id}/b/{id}", "/a/{id}/b/{id} has two variables 'id' → give each a name of its own"),
        ("GET /a#b", "/a#b has a `?` or a `#`, which ends a path → remove it and what follows"),
        ("GET /a?b=c", "/a?b=c has a `?` or a `#`, which ends a path"),
        ("GET /a//b", "no request can have the path /a//b → write one `/` between two segments"),
        ("GET /a/../b", "no request can have the path /a/../b → remove the segment '..'"),
        ("GET /a;b", "servers read the segment 'a;b' differently"),
        ("GET /a%2Fb", "servers read the segment 'a%2Fb' differently"),
        ("GET /a/{}", "/a/{} has braces without a name in them"),
        ("GET /a/{id", "/a/{id has braces without a name in them"),
        ("GET /a/{id?}", "'id?' is not a name of a variable → write `{name}`"),
    ],
)
def test_an_operation_that_no_request_can_name_is_a_mistake(tmp_path: Path, operation: str, said: str) -> None:
    (found,) = mistakes(tmp_path, {operation: {"rule": "any"}})
    assert said in found


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/café", "/caf%C3%A9"),
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/a b", "/a%20b"),
        ("/%61", "/a"),
        ("/é/{id}", "/%C3%A9/7"),
    ],
)
def test_a_path_with_other_characters_is_served_as_requests_write_it(tmp_path: Path, template: str, path: str) -> None:
    # Found: `/café` ended the start of the gateway, and no request matched `/caf%C3%A9`.
    loaded = load(written(tmp_path, {f"GET {template}": {"rule": "any"}}))
    assert served(loaded, f"GET {path}").route.template == template


BAD_PATHS = ["/é/{id}", "/x#{id}", "/x y/{id}", "/x/{}", "/x/{id", "/%zz/{id}", "//x/{id}", "/../{id}", "x/{id}"]


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize(
    ("field", "operation", "rule"),
    [
        ("check", "POST /a", {"rule": "every", "mode": "eventual"}),
        ("undo.path", "POST /a", {"rule": "every", "repeat": True}),
        ("change.read", "PUT /a/{id}", {**ONE, "parts": {"kind": "entity", "parts": {}}}),
        ("check", "POST /a", {"rule": "place", "space": "s", "key": "body.id"}),
        ("policy.path", "POST /a", {"rule": "place", "space": "s"}),
        ("confirm.path", "POST /a", {"rule": "divide", "key": "id", "locate": "event"}),
    ],
)
def test_a_path_that_no_shard_can_be_asked_for_is_a_mistake(
    tmp_path: Path, field: str, operation: str, rule: dict[str, Any], path: str
) -> None:
    inner: dict[str, Any] = {
        "undo.path": {"undo": {"method": "DELETE", "path": path}},
        "confirm.path": {"confirm": {"method": "DELETE", "path": path}},
        "change.read": {"change": {"read": path}},
        "policy.path": {"policy": {"kind": "least_data", "count": "n", "path": path}},
    }.get(field, {field: path})
    (tmp_path / "s.db").touch()
    found = mistakes(tmp_path, {operation: {**rule, **inner}}, directory="s.db")
    assert [line for line in found if f".{field}: " in line], found


@pytest.mark.parametrize("path", [*BAD_PATHS, "/x/{key}/{id}"])
def test_a_probe_that_cannot_be_asked_is_a_mistake(tmp_path: Path, path: str) -> None:
    chain = [{"kind": "probe", "path": path.replace("{id}", "{key}") if "{key}" not in path else path}]
    assert mistakes(tmp_path, {"GET /a/{id}": ONE}, locators={"event": chain})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        *[({"path": path}, "bulk.path: ") for path in (*BAD_PATHS, "/x/{keys}/{id}", "/x", "/x/{keys}?id={keys}")],
        ({"path": "/" + "x" * 3000 + "/{keys}"}, "bulk.path: it leaves no room for keys"),
        ({"separator": ""}, "bulk.separator: an empty text divides nothing"),
        ({"path": "/x/{keys}", "separator": None}, "bulk.separator: '/x/{keys}' has no parameter that could be"),
        ({"key": ""}, "bulk.key: it is empty"),
        ({"keys_max": 1}, "bulk.keys_max: 1 keys are not asked for at once"),
        ({"keys_max": 1001}, "bulk.keys_max: 1001 keys"),
        ({"rows_max": 0}, "bulk.rows_max: a list has at least one row"),
        ({"seperator": ","}, "unknown field `seperator`"),
    ],
)
def test_lists_of_keys_that_no_application_reads_are_mistakes(tmp_path: Path, given: Any, said: str) -> None:
    bulk = {"path": "/x?id={keys}", "key": "id"}
    chain = [{"kind": "probe", "path": "/x/{key}", "bulk": {**bulk, **given}}]
    found = mistakes(tmp_path, {"GET /a/{id}": ONE}, locators={"event": chain})
    assert [line for line in found if said in line], found
    right = [{"kind": "probe", "path": "/x/{key}", "bulk": bulk}]
    assert mistakes(tmp_path, {"GET /a/{id}": ONE}, locators={"event": right}) == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({**GATHER, "prune": {"v": {"locate": "event", "separator": ""}}}, "prune.v.separator: an empty text divides"),
        (
            {**GATHER, "prune": {"header.X": "event"}},
            "prune.header.X: 'header.X' is no query parameter",
        ),
        ({**GATHER, "prune": {"query.v": "event"}}, "prune.query.v: 'query.v' is no query parameter → write `v`, or"),
        ({**GATHER, "prune": {"": "event"}}, "prune.: '' is no query parameter"),
        ({**GATHER, "prune": {"path.x": "event"}}, "prune.path.x: the path has no variable 'x'"),
        ({**GATHER, "merge": {**LIST, "keys": {"id": "text", "": "text"}}}, "merge.keys: '' is no name of a sort key"),
        ({**GATHER, "merge": {**LIST, "keys": {"id": "text", "-a": "text"}}}, "merge.keys: '-a' is no name of a sort"),
        (
            {**GATHER, "merge": {**LIST, "keys": {"id": {"path": []}}}},
            "merge.keys.id: a member that leads to the value",
        ),
        ({**GATHER, "merge": {**LIST, "keys": {"id": {"path": ['a"b']}}}}, "merge.keys.id: its name has a quote"),
        ({**GATHER, "merge": {**LIST, "keys": {"id": {"path": "a..b"}}}}, "merge.keys.id: a member that leads to the"),
        ({**ONE, "key": "body."}, "key: 'body.' names nothing"),
        ({**ONE, "key": "body.a..b"}, "key: 'body.a..b' has an empty name in it"),
        ({**ONE, "key": "header.a b"}, "key: 'a b' is no name of a header"),
        ({**ONE, "key": "query.id", "not_here": [200]}, "not_here: 200 is no status by which an application refuses"),
        ({**ONE, "key": "query.id", "learn": {"event": ""}}, "learn: a member has an empty name"),
    ],
)
def test_words_that_fail_when_they_are_used_are_mistakes(tmp_path: Path, rule: dict[str, Any], said: str) -> None:
    (found,) = mistakes(tmp_path, {"GET /a": rule})
    assert found.startswith(f"rules.GET /a.{said}")


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        ({"kind": "offset", "limit_default": 50, "limit_max": 20}, "limit_default: the application gives 50 rows"),
        ({"kind": "offset", "limit_default": 0}, "limit_default: a page has at least one row"),
        ({"kind": "id_cursor", "limit_default": 5, "row": "/é/{id}"}, "row: '/é/{id}' has characters that no request"),
    ],
)
def test_a_dialect_that_no_application_has_is_a_mistake(tmp_path: Path, dialect: dict[str, Any], said: str) -> None:
    rule = {"rule": "gather", "merge": {**LIST, "dialect": dialect}}
    assert mistakes(tmp_path, {"GET /a": rule})[0].startswith(f"rules.GET /a.merge.dialect.{said}")
    named = {"rule": "gather", "merge": {**LIST, "dialect": "mine"}}
    assert mistakes(tmp_path, {"GET /a": named}, dialects={"mine": dialect})[0].startswith(f"dialects.mine.{said}")


def test_a_prefix_without_an_end_is_a_mistake(tmp_path: Path) -> None:
    # Found: every request with a key was answered 500.
    chain = [{"kind": "prefix", "shards": {"n": "north"}, "separator": ""}]
    (found,) = mistakes(tmp_path, {"GET /a/{id}": ONE}, locators={"event": chain})
    assert found.startswith("locators.event[0].separator: it is empty, so that no prefix ends")


def test_a_shard_that_only_a_filter_would_be_sent_to_must_be_there(tmp_path: Path) -> None:
    # Found: the locators of filters, and of `whole_locate`, were not checked.
    chain = [{"kind": "hash", "overrides": {"7": "west"}}]
    (found,) = mistakes(tmp_path, {"GET /a": {**GATHER, "prune": {"v": "event"}}}, locators={"event": chain})
    assert found.startswith("locators.event[0]: no shard is named 'west'")


def test_half_a_character_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    # Found by made-up configurations: `"\\uD800"` was read, and could not be written into any request.
    (tmp_path / "shardgate.yaml").write_text('shards: {a: "http://a"}\nrules: {"GET /\\uD800": {rule: any}}\n')
    with pytest.raises(ConfigError, match="2: an escape stands for half a character"):
        load(tmp_path / "shardgate.yaml")


@pytest.mark.parametrize("url", ["http://a..b", f"http://{'a' * 70}.example", "http://a b", 'http://a"b'])
def test_a_host_that_cannot_be_looked_up_is_no_address(tmp_path: Path, url: str) -> None:
    # Found: every request for that shard was answered 500.
    (said,) = mistakes(tmp_path, {"GET /a": {"rule": "any"}}, shards={"north": url})
    assert said.startswith(f"shards.north: {url!r} is no address of a shard")


@pytest.mark.parametrize("url", ["http://a.example:1", "http://é.example", "http://[::1]:8080", "http://a_b"])
def test_a_host_that_can_be_looked_up_is_right(tmp_path: Path, url: str) -> None:
    assert mistakes(tmp_path, {"GET /a": {"rule": "any"}}, shards={"north": url}) == []


def test_a_cursor_lives_for_years_and_not_for_ever(tmp_path: Path) -> None:
    # Found: a greater number could not be written into a cursor: every list was answered 500.
    (tmp_path / "secret").write_text("x" * 32)
    said = mistakes(tmp_path, {"GET /a": {"rule": "any"}}, cursors={"secret_file": "secret", "lifetime_s": 2**64})
    assert said == ["cursors.lifetime_s: no cursor lives so long → write at most 316224000, which is ten years"]


def test_a_mistake_of_a_rule_in_the_document_is_told_with_its_line_there(tmp_path: Path) -> None:
    # Found: what is found after a rule was read, such as that it needs a store, had no line.
    rule = {"rule": "every", "mode": "eventual", "repeat": True}
    (tmp_path / "api.yaml").write_text(f"paths:\n  /x:\n    post:\n      x-shardgate: {json.dumps(rule)}\n")
    with pytest.raises(ConfigError) as raised:
        load(written(tmp_path, {"GET /a": {"rule": "any"}}, openapi="api.yaml"))
    (said,) = raised.value.mistakes
    assert said.path == f"{tmp_path}/api.yaml:4: paths./x.post.x-shardgate"
    assert "there is no store" in said.problem


def test_words_of_a_refusal_do_not_say_where_it_ends(tmp_path: Path) -> None:
    # Found: a `Content-Length` of one's own stood beside the gateway's.
    refused = {"status": 401, "fields": {"content-length": "5"}}
    clients = {"jwt": {"algorithms": ["HS256"], "key_env": "X"}, "refused": refused}
    (said,) = mistakes(tmp_path, {"GET /a": {"rule": "any"}}, clients=clients)
    assert said.startswith("clients.refused.fields.content-length: content-length says where the reply ends → remove")


# Missing shards.


@pytest.mark.parametrize(
    ("missing", "merge", "said"),
    [
        ({"quorum": 3}, {}, "missing.quorum: there are only 2 shards"),
        ({"required": ["nroth"]}, {}, "missing.required: there is no shard 'nroth' → did you mean 'north'?"),
        ({"answer": "strict"}, {}, "missing.answer: there is never a partial answer"),
        ({"answer": "strict", "clients": ["strict"]}, {}, "missing.answer: there is never a partial answer"),
        ({"member": "meta."}, {"dialect": {"kind": "envelope"}}, "missing.member: 'meta.' is no path of a member"),
        ({"member": "partial"}, {}, "missing.member: the body of merge is no object"),
        ({"member": "partial"}, {"kind": "union"}, "missing.member: the body of merge is no object"),
        ("partial", {"kind": "entity", "parts": {}}, "missing: merge puts parts together"),
        ("partial", {"parts": {"sum": ["price"]}}, "missing: merge puts parts together"),
        ("sometimes", {}, "missing"),
    ],
)
def test_missing_shards_that_cannot_be_left_out_so(tmp_path: Path, missing: Any, merge: Any, said: str) -> None:
    found = mistakes(
        tmp_path,
        {"GET /a": {"rule": "gather", "missing": missing, "merge": merge if "kind" in merge else {**LIST, **merge}}},
    )
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    "missing",
    ["strict", "partial", {"quorum": 2}, {"required": ["north"]}, {"answer": "strict", "clients": ["quorum"]}],
)
def test_missing_shards_that_can_be_left_out(tmp_path: Path, missing: Any) -> None:
    assert mistakes(tmp_path, {"GET /a": {"rule": "gather", "missing": missing, "merge": LIST}}) == []


@pytest.mark.parametrize("signs", [{"": "any"}, {"a..b": "any"}, {"error": []}, {"error": "some"}])
def test_signs_of_a_failure_that_say_nothing(tmp_path: Path, signs: Any) -> None:
    found = mistakes(tmp_path, {"GET /a": {"rule": "gather", "failure_is": signs, "merge": LIST}})
    assert any("failure_is" in each for each in found), found


def test_a_scatter_that_is_always_refused_is_a_mistake(tmp_path: Path) -> None:
    found = mistakes(tmp_path, {"GET /a": {**GATHER, "scatter": {"shards_max": 1}}})
    assert any("nothing narrows the list" in each for each in found), found
    assert mistakes(tmp_path, {"GET /a": {**GATHER, "scatter": {"unless": {"tier": ["gold"]}}}}) == []


@pytest.mark.parametrize(
    ("operation", "words", "said"),
    [
        ("GET /a", {"retry": "idempotent"}, "retry: GET is retried in any case"),
        ("POST /a", {"retry": "idempotent"}, "retry: a POST that is done twice may change more"),
        ("PATCH /a", {"retry": "idempotent"}, "retry: a PATCH that is done twice may change more"),
        ("ANY /a", {"retry": "idempotent"}, "retry"),
        ("POST /a", {"hedge": 1.0}, "hedge: POST changes something, and is never sent to two replicas at once"),
        ("PUT /a", {"hedge": "never"}, "hedge: PUT changes something"),
        ("GET /a", {"hedge": 1.0, "retry": "unsent"}, "hedge: `retry: unsent` says that nothing is sent twice"),
        ("GET /a", {"hedge": 0}, "hedge"),
        ("GET /a", {"breaker": 0}, "breaker"),
        ("GET /a", {"breaker": "always"}, "breaker"),
        ("GET /a", {"retry": "always"}, "retry"),
        ("POST /a", {"coalesce": True}, "coalesce: a POST is not shared"),
        ("GET /a", {"failure_is": {"": "any"}}, "failure_is"),
    ],
)
def test_words_about_calls_that_cannot_be(tmp_path: Path, operation: str, words: Any, said: str) -> None:
    found = mistakes(tmp_path, {operation: {"rule": "any", **words}})
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("GET /a", {"retry": "unsent", "hedge": "never"}),
        ("PUT|DELETE /a", {"retry": "idempotent"}),
        ("POST /a", {"retry": "unsent", "failure_is": {"error": "any"}}),
        ("GET /a", {"hedge": 2}),
        ("GET /a", {"breaker": 2}),
        ("POST /a", {"breaker": "never"}),
    ],
)
def test_words_about_calls_that_can_be(tmp_path: Path, operation: str, words: Any) -> None:
    shards = {"north": {"replicas": [*SHARDS.values()]}}
    assert mistakes(tmp_path, {operation: {"rule": "any", **words}}, shards=shards, locators=None) == []


@pytest.mark.parametrize(
    ("operation", "rule", "said"),
    [
        ("POST /a", {"rule": "any", "cache": True}, "cache: POST is not answered by what is kept"),
        ("ANY /a", {"rule": "any", "cache": True}, "cache"),
        ("GET /a", {"rule": "any", "cache": {"bytes_max": 1}}, "cache.bytes_max"),
        ("GET /a", {**ONE, "key": "header.X-Vendor", "cache": True}, "cache: the reply depends on `header.X-Vendor`"),
        ("GET /a", {**ONE, "key": "claim.vendor", "cache": True}, "cache: the reply depends on `claim.vendor`"),
        ("GET /a", {**GATHER, "prune": {"claim.vendor": "event"}, "cache": True}, "cache: the reply depends on"),
    ],
)
def test_replies_that_cannot_be_kept(tmp_path: Path, operation: str, rule: Any, said: str) -> None:
    found = mistakes(tmp_path, {operation: rule})
    assert any(said in each for each in found), found


def test_replies_that_can_be_kept(tmp_path: Path) -> None:
    assert mistakes(tmp_path, {"GET /a": {"rule": "any", "cache": {"stale_if_error_s": 60}}}) == []
    assert mistakes(tmp_path, {"GET /a/{id}": {**ONE, "cache": True}, "GET /b": {**GATHER, "cache": True}}) == []
