"""What is read before a worker starts: a store that does not fit the configuration is a mistake."""

from pathlib import Path

import pytest
import yaml

from shardgate.config.load import ConfigError
from shardgate.process.preflight import read
from shardgate.store.sqlite import SqliteStore

RULES = {
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
    "rules": {
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /events": {"rule": "one", "key": "body.vendor", "locate": "vendor"},
    },
    "directory": "directory.db",
}


def test_a_directory_that_names_a_shard_nobody_configured_is_a_mistake(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendors", [("7", "nowhere")])
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump({"shards": {"north": "http://127.0.0.1:1"}, **RULES}))
    with pytest.raises(ConfigError) as raised:
        read(file)
    (mistake,) = raised.value.mistakes
    assert "'nowhere'" in mistake.problem


@pytest.mark.parametrize(("store", "said"), [("nowhere/store.db", "does not exist"), ("notes.txt", "notes.txt: ")])
def test_a_store_that_cannot_be_used_is_a_mistake(tmp_path: Path, store: str, said: str) -> None:
    (tmp_path / "notes.txt").write_text("these are no tables of anybody, and long enough to be looked at" * 10)
    file = tmp_path / "shardgate.yaml"
    rules = {"GET /any": {"rule": "any"}}
    file.write_text(yaml.safe_dump({"shards": {"north": "http://127.0.0.1:1"}, "store": store, "rules": rules}))
    with pytest.raises(ConfigError) as raised:
        read(file)
    (mistake,) = raised.value.mistakes
    assert (mistake.path, said in mistake.problem) == ("store", True)
