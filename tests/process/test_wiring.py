"""What a worker is built of follows from its configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import Loaded, load
from shardgate.process.wiring import Built, build, open_log

LIMITS = {"request_body_bytes_max": 101, "held_body_bytes_max": 102}
TIMEOUTS = {
    "client_header_timeout_s": 1,
    "client_idle_timeout_s": 2,
    "stream_idle_timeout_s": 3,
    "request_total_timeout_s": 4,
}


def loaded(folder: Path, **more: Any) -> Loaded:
    config = {"shards": {"north": "http://127.0.0.1:1"}, "rules": {"GET /any": {"rule": "any"}}, **more}
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config))
    return load(folder / "shardgate.yaml")


def close(built: Built) -> None:
    built.cluster.close()
    if built.journaled is not None:
        built.journaled.writer.close()
    if built.directory is not None:
        built.directory.close()


def test_each_setting_of_a_connection_is_the_option_of_its_name(tmp_path: Path) -> None:
    built = build(loaded(tmp_path, limits=LIMITS, timeouts=TIMEOUTS, request_trailers="pass"))
    settings = built.settings
    assert (settings.body_bytes_max, settings.held_body_bytes_max) == (101, 102)
    assert (settings.header_timeout_s, settings.idle_timeout_s) == (1, 2)
    assert (settings.stream_idle_timeout_s, settings.total_timeout_s) == (3, 4)
    assert settings.passes_trailers
    close(built)


@pytest.mark.parametrize("has_store", [True, False])
def test_changes_are_kept_where_there_is_a_store(tmp_path: Path, has_store: bool) -> None:
    built = build(loaded(tmp_path, **({"store": "store.db"} if has_store else {})))
    assert (built.journaled is not None) is has_store
    assert built.directory is None
    assert built.callers is None
    assert built.tls is None
    close(built)


def test_deadlines_are_read_on_the_clock_that_is_passed_in(tmp_path: Path) -> None:
    built = build(loaded(tmp_path), clock=lambda: 7.0)
    assert built.watch.now() == 7.0
    close(built)


def test_a_log_is_opened_where_one_is_wanted(tmp_path: Path) -> None:
    assert open_log(loaded(tmp_path)) is None
    log = open_log(loaded(tmp_path, access_log="log"))
    assert log is not None
    assert (tmp_path / "log").exists()
    log.close()
