"""The audit as a whole: places, accepted risks, and what is refused."""

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
import yaml

from shardgate.audit.run import warnings_in
from shardgate.config.load import ConfigError, load
from shardgate.process.preflight import judged, read
from shardgate.store.sqlite import SqliteStore
from tests.audit.cases import CASES, SECRET

ROOT = Path(__file__).resolve().parents[2]


def test_a_warning_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(
        'shards: {north: "http://127.0.0.1:1"}\nadmin: 0.0.0.0:0\n'
        "rules:\n  GET /a/{id}:\n    rule: one\n    key: path.id\n    locate: a\n    not_here: [401]\n"
        "locators: {a: [{kind: hash}]}\n"
    )
    assert [(warning.rule.number, warning.place) for warning in warnings_in(read(file))] == [
        ("SGA10", f"{file}:2: admin"),
        ("SGA43", f"{file}:8: rules.GET /a/{{id}}.not_here"),
    ]


def test_a_rule_of_the_applications_document_is_named_there(tmp_path: Path) -> None:
    rule = {"rule": "one", "key": "path.id", "locate": "a", "not_here": [403]}
    (tmp_path / "openapi.yaml").write_text(
        yaml.safe_dump(
            {
                "openapi": "3.1.0",
                "paths": {"/a/{id}": {"get": {"operationId": "get_a", "x-shardgate": rule}}},
                "x-shardgate": {"locators": {"a": [{"kind": "hash"}]}},
            }
        )
    )
    file = tmp_path / "shardgate.yaml"
    file.write_text('shards: {north: "http://127.0.0.1:1"}\nopenapi: openapi.yaml\n')
    (warning,) = warnings_in(read(file))
    assert (warning.rule.number, warning.place.partition(":")[0]) == ("SGA43", "openapi.yaml")
    assert "not_here" in warning.place


def test_a_risk_that_is_accepted_is_silent(tmp_path: Path) -> None:
    file = CASES["SGA10"].bad(tmp_path)
    file.write_text(file.read_text() + "accepted_risks: {SGA10: 'only operators reach it'}\n")
    assert warnings_in(read(file)) == []


@pytest.mark.parametrize(("match", "warned"), [({}, True), ({"claim": {"tier": ["gold"]}}, False)])
def test_a_class_by_a_field_of_the_clients_own_is_everybodys(tmp_path: Path, match: object, warned: bool) -> None:
    """Found: `check` said nothing of it. A proxy passes `User-Agent` on as its client has sent it."""
    file = CASES["SGA22"].safe(tmp_path)
    config = yaml.safe_load(file.read_text())
    gold = {"name": "gold", "match": [{"header": {"User-Agent": ["Gold/1"]}, **match}]}
    config["clients"]["classes"] = [gold, {"name": "others"}]
    config["trusted_proxies"] = ["10.0.0.1"]
    file.write_text(yaml.safe_dump(config))
    assert ("SGA25" in [each.rule.number for each in warnings_in(read(file))]) == warned


@pytest.mark.parametrize(
    ("proxies", "warned"),
    [
        (["10.0.0.0/8"], True),
        (["127.0.0.1", "192.168.0.0/16"], True),
        (["fd00::/8"], True),
        (["10.0.0.0/24", "10.0.7.9", "127.0.0.0/8", "fd00:1:2:3::/64"], False),
    ],
)
def test_a_class_by_a_field_that_others_in_the_proxies_network_can_set_is_warned_of(
    tmp_path: Path, proxies: list[str], *, warned: bool
) -> None:
    """Found: in a private network that is trusted as a whole, each client chose its class, and `check` said nothing."""
    file = CASES["SGA25"].safe(tmp_path)
    config = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**config, "trusted_proxies": proxies}))
    found = [each for each in warnings_in(read(file)) if each.rule.number == "SGA25"]
    assert bool(found) == warned
    assert all("may set `x-tier`" in each.what for each in found)


def test_an_unknown_number_is_a_mistake(tmp_path: Path) -> None:
    file = CASES["SGA10"].bad(tmp_path)
    file.write_text(file.read_text() + "accepted_risks: {SGA99: ''}\n")
    with pytest.raises(ConfigError) as raised:
        read(file)
    (mistake,) = raised.value.mistakes
    assert "accepted_risks.SGA99" in mistake.path
    assert "SGA" in mistake.cure


def test_a_secret_that_anybody_may_write_is_refused(tmp_path: Path) -> None:
    file = CASES["SGA01"].bad(tmp_path)
    (tmp_path / "cursors.secret").write_text(SECRET)
    (tmp_path / "cursors.secret").chmod(0o666)
    with pytest.raises(ConfigError, match="the secret may be anybody's"):
        read(file)


def test_a_log_line_is_one_line(tmp_path: Path) -> None:
    (warning,) = warnings_in(read(CASES["SGA10"].bad(tmp_path)))
    assert warning.line().startswith("SGA10 ")
    assert "\n" not in warning.line()


def test_a_plug_in_that_everybody_may_change_is_warned_of(tmp_path: Path) -> None:
    plugin = tmp_path / "where.py"
    plugin.write_text(
        "import msgspec\nclass Where(msgspec.Struct, frozen=True):\n"
        "    def locate(self, space, key, known):\n        return 'north'\n"
    )
    file = tmp_path / "shardgate.yaml"
    file.write_text(
        'shards: {north: "http://127.0.0.1:1"}\n'
        'locators: {a: [{kind: custom, class: "./where.py:Where"}]}\n'
        "rules:\n  GET /a/{id}: {rule: one, key: path.id, locate: a}\n"
    )
    assert warnings_in(read(file)) == []
    plugin.chmod(0o666)
    (warning,) = warnings_in(read(file))
    assert (warning.rule.number, warning.place) == ("SGA04", f"{file}:2: locators.a[0].class")


def test_warnings_are_logged_before_a_configuration_is_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    loaded = read(CASES["SGA10"].bad(tmp_path))
    assert judged(loaded, strict=False) is loaded
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("SGA10 ")


def test_a_strict_gateway_serves_no_configuration_with_warnings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shardgate.yaml:1: admin: SGA10: "):
        judged(read(CASES["SGA10"].bad(tmp_path)), strict=True)
    safe = read(CASES["SGA10"].safe(tmp_path))
    assert judged(safe, strict=True) is safe


@pytest.mark.parametrize("example", ["examples/bookings", "examples/json-server"])
def test_no_example_has_a_warning(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "example"
    copytree(ROOT / example, folder, ignore=ignore_patterns(".*", "__pycache__"))
    file = folder / "shardgate.yaml"
    config = yaml.safe_load(file.read_text())
    if "directory" in config:
        SqliteStore(folder / "directory.db").close()
        file.write_text(yaml.safe_dump({**config, "directory": "directory.db"}))
    monkeypatch.setenv("BOOKINGS_SECRET", SECRET)
    assert warnings_in(load(file)) == []
