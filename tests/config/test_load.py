"""A wrong configuration is refused with every mistake in it, each with its file, its line and its cure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from shardgate.config.load import ConfigError, load
from shardgate.config.schema import Config
from shardgate.core.changes.placing import AnyPolicy
from shardgate.core.dialect import AnyDialect
from shardgate.core.locate import AnyLocator
from shardgate.core.merge import AnyMerger
from shardgate.core.replicas.membership import Discovery
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rules import Rule

RIGHT = """\
listen: 127.0.0.1:0
shards:
  north: http://127.0.0.1:1
  south: {url: "http://127.0.0.1:2", alias: lisboa}
locators:
  event: [{kind: learned}, {kind: probe, path: "/events/{key}"}]
  vendor:
    - {kind: prefix, shards: {n: north, s: south}}
    - {kind: hash, overrides: {pinned: south}}
dialects:
  mine: {kind: offset, limit_default: 10}
rules:
  GET /events:
    rule: gather
    merge: {kind: list, dialect: mine, keys: {id: text, name: {nulls: first}}}
    learn: {event: id}
  GET /events/{id}: {rule: one, key: path.id, locate: event}
  POST /events: {rule: one, key: [body.vendor, query.vendor], locate: vendor, learn: {event: id}}
  GET /categories: {rule: any}
"""


def mistakes(folder: Path, text: str, **files: str) -> list[str]:
    """What is wrong with a configuration: `line: path: problem → cure`."""
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    file = folder / "shardgate.yaml"
    file.write_text(text)
    try:
        load(file)
    except ConfigError as error:
        said = [f"{mistake.path}: {mistake.problem} → {mistake.cure}" for mistake in error.mistakes]
        return [line.removeprefix(f"{folder}/").removeprefix("shardgate.yaml:") for line in said]
    return []


def edited(*pairs: tuple[str, str]) -> str:
    text = RIGHT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_right_configuration_has_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, RIGHT) == []
    loaded = load(tmp_path / "shardgate.yaml")
    assert [shard.alias for shard in loaded.shards.values()] == ["north", "lisboa"]
    assert [route.template for route in loaded.routes.routes][:2] == ["/events", "/events/{id}"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("listen: 127", "lsten: 127", "1: lsten: unknown field `lsten` → did you mean `listen`?"),
        ("127.0.0.1:0", "8080", "1: listen: expected text, got a whole number"),
        ("127.0.0.1:0", "localhost", "1: listen: 'localhost' is no address → write it as `127.0.0.1:8080`"),
        ("127.0.0.1:0", "a:70000", "1: listen: 'a:70000' is no address"),
        ("127.0.0.1:0", "a:²", "1: listen: 'a:²' is no address"),
        ("127.0.0.1:0", "127.0.0.1:0\nworkers: -3", "2: workers: expected a whole number >= 0"),
        ("http://127.0.0.1:2", "http://127.0.0.1:1/", "4: shards.south: 'http://127.0.0.1:1/' is north already"),
        ('"/events/{key}"', "/events", "6: locators.event[1].path: '/events' is no path with a key in it"),
        ('"/events/{key}"', '"events/{key}"', "6: locators.event[1].path: 'events/{key}' is no path with a key in it"),
        ("key: path.id", "key: []", "17: rules.GET /events/{id}.key: there is no place of a key → add one"),
        ("  GET /events:", "  POST /orders:", "14: rules.POST /orders.rule: a gather reads, and POST does not"),
        (
            "http://127.0.0.1:1",
            "127.0.0.1:1",
            "3: shards.north: '127.0.0.1:1' is no address of a shard → write it as `http",
        ),
        ("http://127.0.0.1:1", "ftp://a", "3: shards.north: 'ftp://a' is no address of a shard"),
        ("http://127.0.0.1:1", "http://a//b", "3: shards.north: 'http://a//b' is no address of a shard"),
        ("http://127.0.0.1:1", "http://u:p@a", "3: shards.north: 'http://u:p@a' is no address of a shard"),
        ("http://127.0.0.1:1", "http://a:99999", "3: shards.north: 'http://a:99999' is no address of a shard"),
        ("http://127.0.0.1:1", '"http://[::1"', "3: shards.north: 'http://[::1' is no address of a shard"),
        ("http://127.0.0.1:1", "7", "3: shards.north: expected a mapping, got a whole number"),
        ("alias:", "alas:", "4: shards.south.alas: unknown field `alas`"),
        (
            "kind: learned",
            "kind: learnt",
            "6: locators.event[0].kind: unknown word 'learnt' → did you mean `learned`? There are: directory, hash,",
        ),
        ("{kind: learned}, ", "7, ", "6: locators.event[0]: expected a mapping, got a whole number"),
        ("n: north", "n: nroth", "8: locators.vendor[0]: no shard is named 'nroth' → did you mean 'north'?"),
        ("s: south}", "s: 7}", "8: locators.vendor[0].shards.s: expected text, got a whole number"),
        ("pinned: south", "pinned: [south]", "9: locators.vendor[1].overrides.pinned: expected text, got a list"),
        (
            "rule: gather",
            "rule: gathr",
            "14: rules.GET /events.rule: unknown word 'gathr' → did you mean `gather`? There are: one, any",
        ),
        (
            "dialect: mine",
            "dialect: mien",
            "15: rules.GET /events.merge.dialect: no dialect is named 'mien' → did you mean 'mine'?",
        ),
        (
            "id: text",
            "id: txt",
            "15: rules.GET /events.merge.keys.id: unknown word 'txt' → did you mean `text`? There are: any, boolean",
        ),
        (
            "nulls: first",
            "nulls: frist",
            "15: rules.GET /events.merge.keys.name.nulls: unknown word 'frist' → did you mean `first`?",
        ),
        ("nulls: first", "nuls: first", "15: rules.GET /events.merge.keys.name.nuls: unknown field `nuls`"),
        ("id: text, ", "", "15: rules.GET /events.merge.keys: the sort key 'id' has no type → add `id: text`"),
        (
            "kind: list",
            "kind: lst",
            "15: rules.GET /events.merge.kind: unknown word 'lst' → did you mean `list`? There are: count, custom",
        ),
        (
            "learn: {event: id}\n  GET",
            "learn: {event: name}\n  GET",
            "16: rules.GET /events.learn.event: 'name' is not what rows",
        ),
        (
            "key: path.id",
            "key: path.event",
            "17: rules.GET /events/{id}.key: the path has no variable 'event' → take one of path.id",
        ),
        (
            "key: path.id",
            "key: session.id",
            "17: rules.GET /events/{id}.key: 'session.id' is no place of a key → start it with one of",
        ),
        (
            "key: path.id",
            "key: query",
            "17: rules.GET /events/{id}.key: 'query' names nothing → write it as `query.` and a name",
        ),
        ("key: path.id, ", "", "17: rules.GET /events/{id}: it lacks the field `key` → add it"),
        (
            "locate: event",
            "locate: evnt",
            "17: rules.GET /events/{id}.locate: no locator is named 'evnt' → did you mean 'event'?",
        ),
        (
            "id: text",
            "id: {collation: icu:xx}",
            "15: rules.GET /events.merge.keys.id: iCU has no collation for the locale 'xx'",
        ),
        (
            "id: text",
            "id: {type: number, collation: utf16}",
            "15: rules.GET /events.merge.keys.id: only text has a collation",
        ),
        (
            "id: text",
            "id: text, name.first: text",
            "15: rules.GET /events.merge: the sort key 'name' is a value, and 'name.first' is inside of it",
        ),
        (
            "learn: {event: id}",
            "learn: {event: id}\n    prune: {vendor: vendr}",
            "17: rules.GET /events.prune.vendor: no locator is named 'vendr' → did you mean 'vendor'?",
        ),
        (
            "GET /categories",
            "categories",
            "19: rules.categories: this is not an operation → write it as `GET /events/{id}`",
        ),
        (
            "GET /categories",
            "get /categories",
            "19: rules.get /categories: a method is written in capital letters → write `GET /categories`",
        ),
        (
            "GET /categories",
            "GET /events/{other}",
            "19: rules.GET /events/{other}: it is the same path as GET /events/{id}",
        ),
        (
            "GET /categories",
            "GET /x/{a}{b}",
            "19: rules.GET /x/{a}{b}: /x/{a}{b} has two variables with nothing between",
        ),
        ("{rule: any}", "any", "19: rules.GET /categories: expected a mapping, got text"),
        (
            "{rule: any}",
            "{rule: any}\nunserved: {GET /category: later}",
            "20: unserved.GET /category: no such operation → did you mean 'GET /categories'?",
        ),
        ("{rule: any}", "{rule: any}\ndirectory: none.db", "20: directory: "),
        (
            "{rule: any}",
            "{rule: any}\ntrailing_slash: maybe",
            "20: trailing_slash: unknown word 'maybe' → take one of: distinct, opt",
        ),
        (
            "{rule: any}",
            "{rule: any}\nlimits: {learned_keys_max: 0}",
            "20: limits.learned_keys_max: expected a whole number >= 1",
        ),
        (
            "{rule: any}",
            "{rule: any}\ntimeouts: {connect_timeout_s: 0}",
            "20: timeouts.connect_timeout_s: expected a number > 0",
        ),
        ("{rule: any}", "{rule: any}\n7: x", "1: invalid name, it is no text → put the name in quotes"),
        (
            "GET /categories:",
            "GET /categories: {rule: any}\n  GET /events:",
            "20: 'GET /events' stands twice → keep one of the two",
        ),
        ("alias: lisboa", "url: x", "4: 'url' stands twice"),
        ("{rule: any}", "{rule: any", "20: expected ',' or '}'"),
        ("{rule: any}", "{rule: any}\n\tx: y", "20: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_its_cure(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = mistakes(tmp_path, edited((old, new)))
    assert any(said in line for line in found), found
    assert all(" → " in line and not line.endswith("→ ") for line in found)
    assert len(found) == 1, found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        edited(
            ("listen:", "lsten:"),
            ("http://127.0.0.1:1", "nowhere"),
            ("kind: learned", "kind: learnt"),
            ("nulls: first", "nulls: middle"),
            ("locate: vendor", "locate: vndor"),
            ("rule: any", "rule: everywhere"),
        ),
    )
    assert [line.split(": ")[1] for line in sorted(found, key=lambda line: int(line.split(":")[0]))] == [
        "lsten",
        "shards.north",
        "locators.event[0].kind",
        "rules.GET /events.merge.keys.name.nulls",
        "rules.POST /events.locate",
        "rules.GET /categories.rule",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "shards"),
        ("[]", "it is not a mapping"),
        ("just text", "it is not a mapping"),
        ("shards: {}", "1: shards: there is no shard → add `north: http://127.0.0.1:8101`"),
        ("shards: {a: http://a}", "there is no operation → name the `openapi` document, or write `rules`"),
        ("shards: &a {b: *a}", "an alias refers to itself"),
        ("shards: !!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_a_file_that_says_nothing_useful(tmp_path: Path, text: str, said: str) -> None:
    found = mistakes(tmp_path, text)
    assert any(said in line for line in found), found


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file\n    → name another with `-c FILE`"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="it cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"listen: \xe9")
    with pytest.raises(ConfigError, match="it is not UTF-8\n    → save it as UTF-8"):
        load(tmp_path / "latin.yaml")


OPENAPI = """\
openapi: 3.1.0
x-shardgate:
  locators: {event: [{kind: directory}]}
paths:
  /events:
    get: {operationId: list, x-shardgate: {rule: any}}
    post: {operationId: create, x-shardgate: {rule: one, key: body.id, locate: event}}
  /events/{id}:
    get: {operationId: read}
"""
BESIDE = "shards: {north: http://a}\nopenapi: api.yaml\n"


def test_an_operation_without_a_rule_is_a_mistake(tmp_path: Path) -> None:
    (said,) = mistakes(tmp_path, BESIDE, api__yaml=OPENAPI)
    assert "rules.GET /events/{id}: the operation has no rule → add `x-shardgate` to it in the document, or " in said
    assert mistakes(tmp_path, BESIDE + "unserved: {'GET /events/{id}': later}\n", api__yaml=OPENAPI) == []
    assert mistakes(tmp_path, BESIDE + "rules: {'GET /events/{id}': {rule: any}}\n", api__yaml=OPENAPI) == []


@pytest.mark.parametrize("name", ["api.yaml", "api.json"])
def test_a_mistake_in_the_document_is_told_with_the_documents_line(tmp_path: Path, name: str) -> None:
    # Found: neither the file nor the line was told.
    wrong = '{"paths": {\n"/events": {\n"get": {"x-shardgate":\n{"rule": "one", "key": "path.id", "locate": "evnt"}}}}}'
    found = mistakes(tmp_path, BESIDE.replace("api.yaml", name), **{name.replace(".", "__"): wrong})
    assert [line.partition(": ")[0] for line in found] == [f"{name}:4", f"{name}:4"]
    assert ".x-shardgate.key: the path has no variable 'id'" in found[0]
    assert ".x-shardgate.locate: no locator is named 'evnt'" in found[1]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("x-shardgate: 7", "api.yaml:1: x-shardgate: expected a mapping, got a whole number"),
        ("x-shardgate: {locators: []}", "api.yaml:1: x-shardgate.locators: expected a mapping, got a list"),
        ("x-shardgate: {locator: {}}", "api.yaml:1: x-shardgate.locator: unknown field `locator`"),
        ("paths: []", "api.yaml:1: paths: expected a mapping, got a list"),
        ("paths:\n  /a: 7", "api.yaml:2: paths./a: expected a mapping, got a whole number"),
        (
            "paths:\n  /a: {get: {x-shardgate: any}}",
            "api.yaml:2: paths./a.get.x-shardgate: expected a mapping, got text",
        ),
        ("paths: {", "2: openapi: "),
        ("7", "2: openapi: "),
    ],
)
def test_a_document_that_is_no_openapi_document(tmp_path: Path, document: str, said: str) -> None:
    # Found: some of these ended in a traceback.
    found = mistakes(tmp_path, BESIDE, api__yaml=document)
    assert any(line.startswith(said) for line in found), found


@pytest.mark.parametrize(
    ("name", "text"), [("none.yaml", None), ("none.json", None), ("x.json", "[]"), ("y.json", "{")]
)
def test_a_document_that_cannot_be_read(tmp_path: Path, name: str, text: str | None) -> None:
    files = {} if text is None else {name.replace(".", "__"): text}
    (said,) = mistakes(tmp_path, BESIDE.replace("api.yaml", name), **files)
    assert said.startswith("2: openapi: ")
    assert name in said


def words_of(kind: Any, seen: set[type]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each field, wherever it is, that takes one of some words; and the words."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        for field in msgspec.structs.fields(kind):
            for part in (field.type, *get_args(field.type)):
                if get_origin(part) is Literal:
                    yield field.encode_name, get_args(part)
            yield from words_of(field.type, seen)
    for part in get_args(kind):
        yield from words_of(part, seen)


def test_the_cure_of_a_wrong_word_names_the_right_ones() -> None:
    found, seen = [], set[type]()
    for kind in (Config, Rule, AnyLocator, AnyDialect, AnyMerger, AnyPolicy):
        found += list(words_of(kind, seen))
    assert {"trailing_slash", "header", "also", "at_end", "nulls", "mode"} <= {field for field, _ in found}
    for field, words in found:
        mistakes: list[Mistake] = []
        one = msgspec.defstruct("One", [(field, Literal[words])])  # type: ignore[valid-type]
        convert_all({field: "nonsense"}, one, "", mistakes)
        missing = [word for word in words if word not in mistakes[0].cure]
        assert not missing, f"{field}: {mistakes[0].cure!r} does not say {missing}"


def test_what_is_missing_is_told_beside_other_mistakes(tmp_path: Path) -> None:
    # Found: whatever else was wrong hid what was missing.
    found = mistakes(tmp_path, "listen: [1]\nworkers: x\n")
    assert [line.partition(" → ")[0] for line in found] == [
        "1: listen: expected text, got a list",
        "1: it lacks the field `shards`",
        "2: workers: expected a whole number, got text",
    ]
    # A field with a wrong name is one mistake, not two.
    assert len(mistakes(tmp_path, "shrds: {a: http://a}\n")) == 1


def test_operators_may_say_nothing_or_where_and_how_much(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for text, place, sample in [
        ("", None, 1),
        ("access_log: off\n", None, 1),
        ('access_log: "off"\n', None, 1),
        ("access_log: stdout\n", "stdout", 1),
        ("access_log: logs/a.json\n", str(tmp_path / "logs/a.json"), 1),
        ("access_log: {to: stderr, query: true, sample: 0.25}\n", "stderr", 0.25),
    ]:
        assert mistakes(tmp_path, text + RIGHT) == []
        access_log = load(tmp_path / "shardgate.yaml").access_log
        assert (access_log.to if access_log else None) == place
        assert access_log is None or access_log.sample == sample
    assert mistakes(tmp_path, "admin: 127.0.0.1:9901\n" + RIGHT) == []
    assert load(tmp_path / "shardgate.yaml").admin == ("127.0.0.1", 9901)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("admin: 9901", "1: admin: expected text or nothing, got a whole number"),
        ("admin: localhost", "1: admin: 'localhost' is no address → write it as `127.0.0.1:9901`"),
        ("access_log: on", "1: access_log: it does not say where to"),
        ("access_log: nowhere/log", "nowhere does not exist → name a file in a folder that exists, or `stdout`"),
        ("access_log: .", "cannot be written"),
        ("access_log: {to: stdout, sample: 0}", "1: access_log.sample: expected a number > 0.0"),
        ("access_log: {query: true}", "1: access_log: it lacks the field `to` → add it"),
    ],
)
def test_what_operators_get_wrong_is_told(tmp_path: Path, line: str, said: str) -> None:
    (found,) = mistakes(tmp_path, f"{line}\n{RIGHT}")
    assert said in found


@pytest.mark.parametrize(
    ("shard", "said"),
    [
        (
            "{alias: a}",
            "4: shards.south: it needs `url` or `replicas`, and not both → write `url`, or `replicas` where",
        ),
        (
            '{url: "http://h:2", replicas: ["http://h:3"]}',
            "4: shards.south: it needs `url` or `replicas`, and not both",
        ),
        (
            '{replicas: ["http://h:3", "https://h:4"]}',
            "4: shards.south: its replicas differ in more than their host and port → write all",
        ),
        ('{replicas: ["http://h:3", "http://h:3"]}', "4: shards.south: 'http://h:3' is written twice → write each"),
        ('{replicas: ["http://127.0.0.1:1"]}', "4: shards.south: 'http://127.0.0.1:1' is north already: its rows"),
        ('{replicas: [{url: "http://h:3", write: false}]}', "4: shards.south: none of its replicas takes changes"),
        ('{replicas: [{url: "http://h:3", weight: 0}]}', "4: shards.south.replicas[0].weight: expected a number > 0"),
        ('{replicas: ["nowhere"]}', "4: shards.south: 'nowhere' is no address of a shard → write it as `http://"),
        ("{replicas: [7]}", "4: shards.south.replicas[0]: expected a mapping, got a whole number"),
        ('{replicas: ["http://h:3"], health: {}}', "4: shards.south.health: it lacks the field `path`"),
        ('{replicas: ["http://h:3"], guards: {retry_percent: 200}}', "4: shards.south.guards.retry_percent: expected"),
        ("{replicas: {}}", "4: shards.south.replicas: it needs `dns` or `srv`, and not both → write `dns: http://"),
        (
            '{replicas: {dns: "http://h:3", srv: "http://_http._tcp.h"}}',
            "4: shards.south.replicas: it needs `dns` or `srv`, and not both",
        ),
        (
            '{replicas: {dns: "http://10.0.0.1:3"}}',
            "4: shards.south.replicas: 'http://10.0.0.1:3' has an address where a name is needed → write it as `url`",
        ),
        (
            '{replicas: {srv: "http://_http._tcp.h:3"}}',
            "4: shards.south.replicas: 'http://_http._tcp.h:3' has a port, and SRV records have one, too → leave",
        ),
        ('{replicas: {dns: "h:3"}}', "4: shards.south: 'h:3' is no address of a shard"),
        ('{replicas: {dsn: "http://h:3"}}', "4: shards.south.replicas.dsn: unknown field `dsn` → did you mean `dns`?"),
        (
            '{replicas: ["http://h:3"], health: {path: readyz}}',
            "4: shards.south.health.path: 'readyz' is no path → write",
        ),
    ],
)
def test_a_mistake_in_a_replica_is_told(tmp_path: Path, shard: str, said: str) -> None:
    found = mistakes(tmp_path, edited(('{url: "http://127.0.0.1:2", alias: lisboa}', shard)))
    assert [line[: len(said)] for line in found] == [said]


def test_a_shard_of_replicas_is_read(tmp_path: Path) -> None:
    shard = '{replicas: ["http://h:3", {url: "http://i:4", write: false, zone: b}], health: {path: /up}}'
    assert mistakes(tmp_path, "zone: a\n" + edited(('{url: "http://127.0.0.1:2", alias: lisboa}', shard))) == []
    south = load(tmp_path / "shardgate.yaml").shards["south"]
    assert [(one.host, one.port, one.member.takes_changes) for one in south.instances] == [
        ("h", 3, True),
        ("i", 4, False),
    ]
    assert (south.zone, south.health is not None) == ("a", True)


def test_replicas_that_dns_names_are_read(tmp_path: Path) -> None:
    found = '{replicas: {srv: "https://_http._tcp.south.test/app"}}'
    servers = 'resolver: {servers: ["10.0.0.2", "[fd00::2]:5353"]}\n'
    assert mistakes(tmp_path, servers + edited(('{url: "http://127.0.0.1:2", alias: lisboa}', found))) == []
    south = load(tmp_path / "shardgate.yaml").shards["south"]
    assert south.discovery == Discovery("_http._tcp.south.test", None)
    assert (south.host, south.base) == ("south.test", "/app")
    assert south.tls is not None
    assert south.tls.server_name == "south.test", "the certificate has no address, but the name"


def test_what_a_mapping_takes_over_from_another_may_be_written_anew(tmp_path: Path) -> None:
    # Found: `<<: *one` beside a field of its own was "stands twice".
    text = (
        "shards: {north: 'http://127.0.0.1:1'}\n"
        "rules:\n"
        "  GET /a: {rule: gather, merge: &one {kind: list, keys: any, dialect: {kind: offset}}}\n"
        "  GET /b: {rule: gather, merge: {<<: *one, dialect: {kind: whole}}}\n"
    )
    (tmp_path / "shardgate.yaml").write_text(text)
    assert len(load(tmp_path / "shardgate.yaml").routes.routes) == 2
    (tmp_path / "shardgate.yaml").write_text(text.replace("dialect: {kind: whole}}", "kind: list, kind: list}"))
    with pytest.raises(ConfigError, match="4: 'kind' stands twice"):
        load(tmp_path / "shardgate.yaml")
