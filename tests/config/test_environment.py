"""Variables of the environment win over the configuration; a wrong one is named, and its value is never repeated."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, Loaded, load
from shardgate.config.schema import Config
from shardgate.config.variables import _of_struct, variables
from shardgate.process.preflight import read

RULES = {"GET /categories": {"rule": "any"}}
NORTH = "http://127.0.0.1:8101"
PASSWORD = "hunter2-is-secret"


def loaded(folder: Path, environment: dict[str, str], **config: Any) -> Loaded:
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"rules": RULES, "shards": {"north": NORTH}} | config))
    return load(file, environment)


def refused(folder: Path, environment: dict[str, str], **config: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, environment, **config)
    return [f"{each.path.removeprefix(f'{folder}/')}: {each.problem} → {each.cure}" for each in caught.value.mistakes]


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        {
            "SHARDGATE_LISTEN": "0.0.0.0:80",
            "SHARDGATE_WORKERS": "3",
            "SHARDGATE_TIMEOUTS_DRAIN_TIMEOUT_S": "7.5",
            "SHARDGATE_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.0.0/16",
            "SHARDGATE_STORE": str(tmp_path / "store.db"),
            "SHARDGATE_TRAILING_SLASH": "distinct",
            "PATH": "/bin",
        },
        listen="127.0.0.1:1",
        timeouts={"drain_timeout_s": 1, "connect_timeout_s": 2},
    )
    assert (found.host, found.port, found.config.workers) == ("0.0.0.0", 80, 3)
    assert (found.config.timeouts.drain_timeout_s, found.config.timeouts.connect_timeout_s) == (7.5, 2)
    assert found.config.trusted_proxies == ("10.0.0.0/8", "192.168.0.0/16")
    assert (found.store, found.config.trailing_slash) == (tmp_path / "store.db", "distinct")
    assert found.variables == sorted(found.variables) != []
    assert "PATH" not in found.variables


def test_without_a_variable_nothing_changes(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"HOME": "/"}).variables == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("north=http://a:1,south=http://b:2", {"north": ["a"], "south": ["b"]}),
        (" north = http://a:1 http://c:3 , south=http://b:2,", {"north": ["a", "c"], "south": ["b"]}),
        ("{north: 'http://a:1', south: {url: 'http://b:2', alias: lisboa}}", {"north": ["a"], "south": ["b"]}),
    ],
)
def test_shards_come_from_the_environment_alone(tmp_path: Path, text: str, expected: dict[str, list[str]]) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"rules": RULES}))
    shards = load(file, {"SHARDGATE_SHARDS": text}).shards
    assert {name: [each.host for each in shard.instances] for name, shard in shards.items()} == expected


def test_a_shard_keeps_the_fields_that_the_file_has_of_it(tmp_path: Path) -> None:
    shards = {"north": {"url": NORTH, "alias": "porto"}, "south-2": {"replicas": ["http://a", "http://b"]}}
    given = {"SHARDGATE_SHARDS": "north=http://n:1,south-2=http://s:2"}
    one = loaded(tmp_path, given, shards=shards).shards
    other = loaded(
        tmp_path,
        {"SHARDGATE_SHARD_NORTH_URL": "http://n:1", "SHARDGATE_SHARD_SOUTH_2_URL": "http://s:2"},
        shards=shards,
    ).shards
    assert one == other
    assert (one["north"].host, one["north"].alias, one["south-2"].host) == ("n", "porto", "s")


def test_no_shard_of_the_file_is_lost_by_a_shorter_list(tmp_path: Path) -> None:
    (said,) = refused(tmp_path, {"SHARDGATE_SHARDS": "south=http://b:2"})
    assert said.startswith("SHARDGATE_SHARDS: the configuration has the shard `north`, and this variable does not")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("SHARDGATE_WORKERS", PASSWORD, "it is no whole number"),
        ("SHARDGATE_WORKERS", "-1", "below"),
        ("SHARDGATE_TIMEOUTS_DRAIN_TIMEOUT_S", "nan", "it is no number"),
        ("SHARDGATE_LISTEN", PASSWORD, "its value is no address"),
        ("SHARDGATE_TRAILING_SLASH", PASSWORD, "it must be one of"),
        ("SHARDGATE_TRUSTED_PROXIES", f"10.0.0.0/8,{PASSWORD}", "its value does not appear"),
        ("SHARDGATE_SHARDS", PASSWORD, "its part 1 is no `name=address`"),
        ("SHARDGATE_SHARDS", f"north=http://u:{PASSWORD}@a:1", "its value is no address of a shard"),
        ("SHARDGATE_SHARDS", f"north={NORTH},north={PASSWORD}", "it names `north` twice"),
        ("SHARDGATE_SHARDS", f"{{north: {PASSWORD}", "it begins like a mapping"),
        ("SHARDGATE_SHARD_NORTH_URL", PASSWORD, "its value is no address of a shard"),
        ("SHARDGATE_SHARDS", f"{{north: 'http://a:1', north: '{PASSWORD}'}}", "it begins like a mapping"),
        ("SHARDGATE_DIRECTORY", f"/{PASSWORD}", "its value does not exist"),
        ("SHARDGATE_SHARD_WEST_URL", PASSWORD, "no shard has this name"),
        ("SHARDGATE_LISTEM", PASSWORD, "no field has this variable → did you mean SHARDGATE_LISTEN?"),
        ("SHARDGATE_XYZZY", PASSWORD, "no field has this variable → remove it"),
        ("SHARDGATE_ADMIN", " ", "it is empty"),
        ("SHARDGATE_LIMITS_CLIENT_CONNECTIONS_MAX", "0", ""),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not_repeated(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (line, *more) = refused(tmp_path, {name: text})
    assert line.startswith(f"{name}: {said}") or (said == "below" and line.startswith(f"{name}: "))
    assert not any(PASSWORD in each for each in [line, *more])
    assert more == []


def test_two_shards_of_one_spelling_are_not_guessed(tmp_path: Path) -> None:
    shards = {"south-2": "http://a:1", "south_2": "http://b:2"}
    (said,) = refused(tmp_path, {"SHARDGATE_SHARD_SOUTH_2_URL": "http://c:3"}, shards=shards)
    assert said.startswith("SHARDGATE_SHARD_SOUTH_2_URL: south-2 and south_2 are both meant")


def test_what_is_found_before_serving_names_the_variable_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"rules": RULES, "shards": {"north": NORTH}}))
    (tmp_path / PASSWORD).write_text("no database" * 100)
    monkeypatch.setenv("SHARDGATE_STORE", str(tmp_path / PASSWORD))
    with pytest.raises(ConfigError) as caught:
        read(file)
    (mistake,) = caught.value.mistakes
    assert (mistake.path, PASSWORD in mistake.problem) == ("SHARDGATE_STORE", False)


def test_mistakes_of_the_file_are_told_beside_those_of_the_environment(tmp_path: Path) -> None:
    said = refused(tmp_path, {"SHARDGATE_WORKERS": "many"}, zone=3)
    assert [line.partition(": ")[0] for line in said] == ["SHARDGATE_WORKERS", "shardgate.yaml:6"]


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "shards"
    secret.write_text("north=http://n:1\n")
    assert loaded(tmp_path, {"SHARDGATE_SHARDS_FILE": str(secret)}).shards["north"].host == "n"
    (missing,) = refused(tmp_path, {"SHARDGATE_LISTEN_FILE": str(tmp_path / "none")})
    assert missing.startswith("SHARDGATE_LISTEN_FILE: the file cannot be read: No such file")
    (both,) = refused(tmp_path, {"SHARDGATE_SHARDS_FILE": str(secret), "SHARDGATE_SHARDS": "north=http://n:2"})
    assert "is given, too → keep one of the two" in both


def test_a_section_that_is_written_short_keeps_what_is_known_of_it(tmp_path: Path) -> None:
    given = {"to": "stderr", "mask": ["passport_no"]}
    log = loaded(tmp_path, {"SHARDGATE_ACCESS_LOG": "stdout"}, access_log=given).access_log
    assert log is not None
    assert (log.to, log.mask) == ("stdout", ("passport_no",))
    assert loaded(tmp_path, {"SHARDGATE_ACCESS_LOG": "off"}, access_log=given).access_log is None
    sampled = loaded(tmp_path, {"SHARDGATE_ACCESS_LOG_SAMPLE": "0.5"}, access_log="stderr").access_log
    assert sampled is not None
    assert (sampled.to, sampled.sample) == ("stderr", 0.5)


def test_a_section_can_be_begun_by_a_variable(tmp_path: Path) -> None:
    (tmp_path / "cursors").write_text("0" * 32)
    found = loaded(tmp_path, {"SHARDGATE_CURSORS_SECRET_FILE": "cursors"})
    assert found.config.cursors is not None
    assert found.config.cursors.secret_file == "cursors"


def test_what_kubernetes_says_of_a_service_of_our_name_is_ignored(tmp_path: Path) -> None:
    of_services = {
        "SHARDGATE_SERVICE_HOST": "10.0.0.1",
        "SHARDGATE_SERVICE_PORT": "80",
        "SHARDGATE_SERVICE_PORT_HTTP": "80",
        "SHARDGATE_PORT": "tcp://10.0.0.1:80",
        "SHARDGATE_PORT_80_TCP_ADDR": "10.0.0.1",
        "SHARDGATE_ADMIN_PORT_9901_TCP": "tcp://10.0.0.1:9901",
    }
    assert loaded(tmp_path, of_services).variables == []


def test_what_the_configuration_itself_names_is_no_unknown_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDGATE_CURSOR_SECRET", "0" * 32)
    environment = {"SHARDGATE_CURSOR_SECRET": "0" * 32, "SHARDGATE_CONFIG": "x", "SHARDGATE_LOG_FORMAT": "json"}
    assert loaded(tmp_path, environment, cursors={"secret_env": "SHARDGATE_CURSOR_SECRET"}).variables == []
    monkeypatch.setenv("SHARDGATE_CURSOR_SECRET", "short")
    (said,) = refused(tmp_path, environment, cursors={"secret_env": "SHARDGATE_CURSOR_SECRET"})
    assert "cursors.secret_env: a secret has at least 32 characters" in said
    both = {"secret_env": "SHARDGATE_CURSOR_SECRET", "secret_file": "a"}
    assert "the secrets must stand in one place" in refused(tmp_path, environment, cursors=both)[0]


def test_the_file_is_not_changed_where_a_part_of_it_stands_in_two_places(tmp_path: Path) -> None:
    file = tmp_path / "shardgate.yaml"
    file.write_text(
        "shards:\n  north: &it {url: 'http://a:1'}\n  south: {<<: *it, url: 'http://b:2'}\n"
        "rules: {GET /c: {rule: any}}\n"
    )
    shards = load(file, {"SHARDGATE_SHARD_NORTH_URL": "http://n:9"}).shards
    assert (shards["north"].host, shards["south"].host) == ("n", "b")


def test_no_two_fields_have_one_variable() -> None:
    names = [each.name for each in _of_struct(Config, ())]
    assert len(names) == len(set(names)) > 90
    assert {"SHARDGATE_LISTEN", "SHARDGATE_TLS_KEY", "SHARDGATE_CLIENTS_JWT_JWKS_URL"} <= variables().keys()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("postgresql+asyncpg://u:hunter2-is-secret@h/d", "knows no database by postgresql+asyncpg://"),
        ("host=h password=hunter2-is-secret", "a list of libpq's words"),
        ("postgresql://u:hunter2-is-secret@more@h/d", "not clear where the host begins"),
        ("postgresql://u:100%hunter2-is-secret@h/d", "a % begins no character"),
    ],
)
def test_a_store_that_is_no_place_is_a_mistake_that_does_not_repeat_its_password(
    tmp_path: Path, text: str, problem: str
) -> None:
    """Found: it was taken for the path of a file, and shown with its password."""
    for environment, config in (({"SHARDGATE_STORE": text}, {}), ({}, {"store": text}), ({}, {"directory": text})):
        mistakes = refused(tmp_path, environment, **config)
        assert len(mistakes) == 1, mistakes
        assert problem in mistakes[0]
        assert PASSWORD not in mistakes[0]
        assert "more" not in mistakes[0]
