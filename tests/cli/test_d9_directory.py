"""Case D9: tenants that no split made come into the directory from a CSV file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.store.directory_file import PROGRESS_LINES
from shardgate.store.sqlite import SqliteStore


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def command(*words: str, given: str = "") -> tuple[int, str]:
        result = CliRunner().invoke(app, ["directory", *words], input=given)
        return result.exit_code, result.output

    return command


def read(space: str = "vendors") -> dict[str, str]:
    with SqliteStore("directory.db") as store:
        return store.read(space)


def test_a_file_goes_in_and_comes_out_again(run) -> None:
    Path("in.csv").write_text('key,shard\n"a,b",north\nacme,south\n"say ""x""",south\n')
    code, said = run("import", "in.csv", "--space", "vendors")
    assert (code, said) == (
        0,
        "shardgate: directory.db: 3 keys are new, 0 have another shard now, 0 were there already\n",
    )
    assert read() == {"a,b": "north", "acme": "south", 'say "x"': "south"}
    assert run("export", "-o", "out.csv") == (0, "shardgate: out.csv: 3 keys\n")
    again = run("import", "out.csv", "-d", "other.db")
    assert again[0] == 0
    assert run("export", "-d", "other.db")[1] == Path("out.csv").read_text()


def test_a_file_of_windows_with_a_byte_order_mark(run) -> None:
    Path("in.csv").write_bytes("\ufeffshard,key\r\nnorth,Zürich\r\n".encode())
    assert run("import", "in.csv", "-s", "vendors")[0] == 0
    assert read() == {"Zürich": "north"}


def test_every_mistake_has_its_line_and_nothing_is_written(run) -> None:
    Path("shardgate.yaml").write_text("shards: {north: 'http://a', south: 'http://b'}\n")
    Path("in.csv").write_text("key,shard\nacme,north\nbest,nroth\n,south\nc\nacme,south\nd ,north\n")
    code, said = run("import", "in.csv", "-s", "vendors")
    assert code == 1
    assert said.splitlines() == [
        "shardgate: line 3: there is no shard 'nroth'. Did you mean north?",
        "shardgate: line 4: has no key",
        "shardgate: line 5: has 1 columns instead of 2. A text with a comma must be in quotes",
        "shardgate: line 6: key 'acme' is on south, but line 2 says north. A key has one shard",
        "shardgate: line 7: has a key that begins or ends with a space, 'd '. Requests would not find it: remove the"
        " space",
        "shardgate: nothing was written",
    ]
    assert not Path("directory.db").exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"acme,north\n", "line 1: must name the columns, as in key,shard, but says acme,north"),
        (b"", "line 1: must name the columns, as in key,shard, but says nothing"),
        (b"key;shard\nacme;north\n", "but says key;shard. Separate the columns by commas in all lines"),
        (b"key,shard\n\xff,north\n", "is not UTF-8"),
        (b'key,shard\n"acme,north\n', "line 3: unexpected end of data"),
    ],
)
def test_a_file_that_is_something_else(run, content: bytes, problem: str) -> None:
    Path("in.csv").write_bytes(content)
    code, said = run("import", "in.csv", "-s", "vendors")
    assert code == 1
    assert problem in said


def test_many_mistakes_are_counted(run) -> None:
    Path("in.csv").write_text("key,shard\n" + ",north\n" * 30)
    said = run("import", "in.csv", "-s", "vendors")[1]
    assert "10 more mistakes like these" in said


def test_a_key_changes_its_shard_only_where_that_is_said(run) -> None:
    assert run("set", "acme", "north", "-s", "vendors")[0] == 0
    code, said = run("set", "acme", "south", "-s", "vendors")
    assert code == 1
    assert "'acme' of vendors is on north, and would be on south. Nothing was written" in said
    assert read() == {"acme": "north"}
    Path("in.csv").write_text("key,shard\nbest,north\nacme,south\n")
    assert run("import", "in.csv", "-s", "vendors")[0] == 1
    assert read() == {"acme": "north"}
    assert run("import", "in.csv", "-s", "vendors", "--replace") == (
        0, "shardgate: directory.db: 1 keys are new, 1 have another shard now, 0 were there already\n"
    )  # fmt: skip
    assert read() == {"acme": "south", "best": "north"}


def test_list_counts_and_finds(run) -> None:
    run("import", "-", given="space,key,shard\nvendors,a,north\nvendors,b,south\nschools,a,north\n")
    assert run("list")[1].split() == [
        "space", "shard", "keys", "schools", "north", "1", "vendors", "north", "1", "vendors", "south", "1"
    ]  # fmt: skip
    assert run("list", "b")[1].split() == ["space", "key", "shard", "vendors", "b", "south"]
    code, said = run("list", "b", "zz")
    assert code == 1
    assert "directory.db: has no key zz" in said
    assert "has no space 'vendor'. It has schools, vendors" in run("list", "-s", "vendor")[1]


def test_a_long_file_shows_its_progress(run) -> None:
    Path("in.csv").write_text("key,shard\n" + "".join(f"k{n},north\n" for n in range(PROGRESS_LINES)))
    said = run("import", "in.csv", "-s", "vendors")[1]
    for what in ("lines read", "of 100,000 keys stored", "of 100,000 keys mapped"):
        assert f"{PROGRESS_LINES:,} {what}" in said
    assert Path("directory.db.map").exists()


def test_a_directory_that_is_not_there_is_named(run) -> None:
    assert run("list") == (1, "shardgate: directory.db: there is no such file. Give the directory with -d FILE\n")
    assert not Path("directory.db").exists()
