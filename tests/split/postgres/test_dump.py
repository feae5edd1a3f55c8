"""Which pg_dump is used, and what is made of what it writes."""

from pathlib import Path

import pytest

from shardgate.split.postgres.dump import find_dump_tool


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a program named pg_dump on an otherwise empty PATH."""

    def make(script: str) -> None:
        path = tmp_path / "pg_dump"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


def test_a_tool_that_is_older_than_the_server_is_not_used(tool) -> None:
    tool("echo 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0)'")
    assert find_dump_tool(160004) is None
    found = find_dump_tool(150018)
    assert found is not None
    assert found.version == "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0)"


@pytest.mark.parametrize("script", ["exit 1", "echo nonsense"])
def test_a_tool_that_does_not_say_its_version_is_not_used(tool, script) -> None:
    tool(script)
    assert find_dump_tool(150000) is None


def test_what_only_psql_understands_is_taken_out_and_a_schema_may_be_there(tool) -> None:
    tool("""case "$1" in --version) echo 'pg_dump (PostgreSQL) 18.4';;
    *) printf '%s\\n' '\\restrict abc' 'CREATE SCHEMA log;' "$PGPASSWORD" "$*" '\\unrestrict abc';; esac""")
    found = find_dump_tool(180004)
    assert found is not None
    lines = found.section("pre-data", "host=db password=secret dbname=shop", "snap").splitlines()
    assert lines[0] == "CREATE SCHEMA IF NOT EXISTS log;"
    assert lines[1] == "secret", "the password is in the environment"
    assert "secret" not in lines[2]
    assert "--section=pre-data --snapshot=snap" in lines[2]
    assert lines[3].startswith("RESET search_path")
