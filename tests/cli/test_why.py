"""`shardgate why`: one request's story, from files or from standard input."""

from pathlib import Path

from typer.testing import CliRunner

from shardgate.cli.main import app

LINE = '2026-03-01 09:30:00,123 WARNING request=r-1 shard=north code=SG2007 status=502 what="x y"\n'


def test_it_reads_files_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("nothing of it\n")
    (tmp_path / "b.log").write_text(LINE)
    from_files = CliRunner().invoke(app, ["why", "r-1", "-l", str(tmp_path / "a.log"), "-l", str(tmp_path / "b.log")])
    from_input = CliRunner().invoke(app, ["why", "r-1"], input=LINE)
    assert from_files.exit_code == from_input.exit_code == 0
    assert from_files.output == from_input.output
    assert "at fault   shard north\n" in from_files.output


def test_a_request_that_no_line_names_and_a_file_that_is_not_there_are_exit_code_1(tmp_path: Path) -> None:
    unknown = CliRunner().invoke(app, ["why", "r-2"], input=LINE)
    assert (unknown.exit_code, "r-2" in unknown.output) == (1, True)
    nowhere = CliRunner().invoke(app, ["why", "r-1", "-l", str(tmp_path / "no.log")])
    assert (nowhere.exit_code, "cannot be read" in nowhere.output) == (1, True)
