"""The commands with a store in PostgreSQL."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.core.hosts import PostgresUrl

RULES = {
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
    "rules": {
        "POST /vendors": {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"},
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
    },
}


def written(folder: Path, store: str) -> str:
    file = folder / "shardgate.yaml"
    shards = {"north": "http://127.0.0.1:9", "south": "http://127.0.0.1:10"}
    file.write_text(yaml.safe_dump({"shards": shards, "store": store, **RULES}))
    return str(file)


def ran(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


def test_a_directory_is_filled_and_shown_and_the_configuration_checked(
    postgres_place: PostgresUrl, tmp_path: Path
) -> None:
    url, config = postgres_place.text, written(tmp_path, postgres_place.text)
    code, said = ran("check", "-c", config)
    assert code == 0, said
    (tmp_path / "tenants.csv").write_text("key,shard\nacme,north\nbest,south\n")
    code, said = ran("directory", "import", str(tmp_path / "tenants.csv"), "-s", "vendors", "-d", url, "-c", config)
    assert (code, "2 keys are new" in said) == (0, True), said
    assert ran("directory", "list", "acme", "-d", url)[1].split() == [
        "space",
        "key",
        "shard",
        "vendors",
        "acme",
        "north",
    ]
    assert ran("directory", "export", "-d", url)[1].splitlines()[1:] == ["vendors,acme,north", "vendors,best,south"]
    assert ran("check", "-c", config)[0] == 0
    assert ran("journal", "list", "-c", config)[0] == 0
    code, said = ran("explain", "GET", "/vendors/best", "-c", config)
    assert (code, "south" in said) == (0, True), said


def test_a_directory_that_names_an_unknown_shard_is_a_mistake(postgres_place: PostgresUrl, tmp_path: Path) -> None:
    assert ran("directory", "set", "acme", "west", "-s", "vendors", "-d", postgres_place.text, "-c", "none")[0] == 0
    code, said = ran("check", "-c", written(tmp_path, postgres_place.text))
    assert (code, "'west', which is no shard here" in said) == (1, True), said


def test_a_store_that_cannot_be_reached_is_a_mistake_without_its_password(tmp_path: Path) -> None:
    config = written(tmp_path, "postgresql://u:hidden@127.0.0.1:1/d")
    for words in (("check",), ("journal", "list"), ("serve",)):
        code, said = ran(*words, "-c", config)
        assert code == 1, said
        assert "Does the server run" in said
        assert "hidden" not in said
