"""`shardgate directory`: fills, changes and shows the directory, which says which shard has which tenant."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from shardgate.cli.console import wide_console
from shardgate.process.directory import shard_names
from shardgate.store.database import Store, StoreError
from shardgate.store.directory_entries import Entries
from shardgate.store.directory_file import PROGRESS_LINES, DirectoryFileError, read_csv, store_entries, write_csv
from shardgate.store.map_build import renew_map
from shardgate.store.opening import open_store, store_place

_HELP = """
Fill, change and show the directory, which says which shard has which tenant.

`shardgate split` writes the directory of a database that it cuts. For all
other tenants, make a CSV file with a line for each of them:

    key,shard
    acme,north
    best,south

A key is what requests name the tenant by. A space is the name of this kind
of tenant, which a locator in shardgate.yaml names too:

    locators:
      vendor: [{kind: directory, space: vendors}]

Then:

    shardgate directory import tenants.csv --space vendors
    shardgate directory list
    shardgate directory set new-shop south --space vendors
    shardgate directory export --output tenants.csv

A running gateway sees each change within a second.
"""

directory = typer.Typer(name="directory", no_args_is_help=True, help=_HELP)

FileOption = Annotated[
    str,
    typer.Option(
        "--directory", "-d", help="The file with the directory, as `directory` in shardgate.yaml; or postgresql://…"
    ),
]
SpaceOption = Annotated[str, typer.Option("--space", "-s", help="The name of this kind of tenant, as in vendors.")]
ShardsOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", help="The configuration. If it exists, its shards are the only ones that are accepted."
    ),
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Give keys that the directory has another shard. Move their data first.")
]
_FILE = "directory.db"
_CONFIG = Path("shardgate.yaml")


@directory.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file in UTF-8, or - for standard input.", metavar="FILE")],
    space: Annotated[
        str | None, typer.Option("--space", "-s", help="The space of all lines, if the file has no column `space`.")
    ] = None,
    to: FileOption = _FILE,
    config: ShardsOption = _CONFIG,
    replace: ReplaceOption = False,
) -> None:
    """Add the tenants of a CSV file to the directory.

    Examples:

        shardgate directory import tenants.csv --space vendors
        psql shop -c 'COPY (…) TO STDOUT CSV HEADER' | shardgate directory import - -s vendors

    The first line names the columns: key and shard, and space if the file
    has tenants of several kinds. Every mistake is reported with its line, and
    then nothing is written; otherwise all lines are, in one transaction.
    A key that the directory has on the same shard already is no mistake.
    """
    with _errors():
        shards = shard_names(config)
        if str(file) == "-":
            entries = read_csv(sys.stdin, space, shards, _lines_read)
        else:
            with file.open(encoding="utf-8-sig", newline="") as opened:
                entries = read_csv(opened, space, shards, _lines_read)
        with open_store(store_place(to)) as store:
            with _bar("keys stored", len(entries)) as stored:
                new, moved = store_entries(store, entries, replace=replace, progress=stored)
            with _bar("keys mapped", sum(sum(each.values()) for each in store.counts().values())) as mapped:
                renew_map(store, mapped)
    same = len(entries) - new - moved
    typer.echo(
        f"shardgate: {store_place(to)}: {new} keys are new, {moved} have another shard now, {same} were there already"
    )


@directory.command("export")
def export_file(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The CSV file to write. Default: standard output.")
    ] = None,
    space: Annotated[str | None, typer.Option("--space", "-s", help="Only this kind of tenant.")] = None,
    of: FileOption = _FILE,
) -> None:
    """Write the directory as a CSV file that `import` reads.

    Example:

        shardgate directory export --space vendors --output tenants.csv
    """
    with _errors(), _existing(of) as store:
        spaces = _chosen(store, space)
        if output is None:
            write_csv(sys.stdout, store, spaces)
            return
        with output.open("w", encoding="utf-8", newline="") as opened:
            count = write_csv(opened, store, spaces)
    typer.echo(f"shardgate: {output}: {count} keys")


@directory.command("set")
def set_key(
    key: Annotated[str, typer.Argument(help="What requests name the tenant by.", metavar="KEY")],
    shard: Annotated[str, typer.Argument(help="The name of its shard.", metavar="SHARD")],
    space: SpaceOption,
    to: FileOption = _FILE,
    config: ShardsOption = _CONFIG,
    replace: ReplaceOption = False,
) -> None:
    """Say which shard has one tenant.

    Example:

        shardgate directory set new-shop south --space vendors

    Requests for the tenant go there within a second. The command moves no
    data.
    """
    with _errors():
        entries = _one_entry(key, shard, space, config)
        with open_store(store_place(to)) as store:
            new, moved = store_entries(store, entries, replace=replace)
    what = "is new" if new else "has another shard now" if moved else "was there already"
    typer.echo(f"shardgate: {store_place(to)}: {key} {what}: {shard}")


@directory.command("list")
def list_keys(
    keys: Annotated[list[str] | None, typer.Argument(help="Show only these keys.", metavar="[KEY]...")] = None,
    space: Annotated[str | None, typer.Option("--space", "-s", help="Only this kind of tenant.")] = None,
    of: FileOption = _FILE,
) -> None:
    """Show how many tenants each shard has, or where some tenants are.

    Examples:

        shardgate directory list
        shardgate directory list acme best --space vendors

    The exit code is 1 if a key is not in the directory.
    """
    table = Table(box=None, pad_edge=False)
    missing: list[str] = []
    with _errors(), _existing(of) as store:
        for title in ("space", "key", "shard") if keys else ("space", "shard", "keys"):
            table.add_column(title, justify="right" if title == "keys" else "left", no_wrap=True)
        spaces = _chosen(store, space)
        counts = store.counts()
        missing = [*(keys or ())]
        for each in spaces:
            for shard, count in sorted(counts[each].items()) if not keys else ():
                table.add_row(each, shard, f"{count:,}")
            for key in keys or ():
                if (found := store.find(each, key)) is not None:
                    table.add_row(each, key, found)
                    missing = [other for other in missing if other != key]
    wide_console().print(table)
    if missing:
        _stop([f"{store_place(of)}: has no key {', '.join(missing)}"])


def _one_entry(key: str, shard: str, space: str, config: Path) -> Entries:
    """One entry, checked as a line of a file is."""
    quoted = ",".join('"' + word.replace('"', '""') + '"' for word in (key, shard))
    return read_csv(StringIO(f"key,shard\n{quoted}\n"), space, shard_names(config))


def _lines_read(lines: int) -> None:
    typer.echo(f"shardgate: {lines:,} lines read", err=True)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives what is called with each number of keys that are done. A bar on a terminal, and lines anywhere else."""
    console = Console(stderr=True)
    if console.is_terminal and total > PROGRESS_LINES:
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda count: progress.advance(task, count)
        return
    done = 0

    def line(count: int) -> None:
        nonlocal done
        if (done + count) // PROGRESS_LINES > done // PROGRESS_LINES:
            typer.echo(f"shardgate: {done + count:,} of {total:,} {what}", err=True)
        done += count

    yield line


def _chosen(store: Store, space: str | None) -> tuple[str, ...]:
    spaces = store.spaces()
    if space is None:
        return spaces
    if space not in spaces:
        raise StoreError(f"{store.place}: has no space {space!r}. It has {', '.join(spaces) or 'none'}")
    return (space,)


@contextmanager
def _existing(directory: str) -> Iterator[Store]:
    place = store_place(directory)
    if isinstance(place, Path) and not place.exists():
        raise StoreError(f"{place}: there is no such file. Give the directory with -d FILE")
    with open_store(place) as store:
        yield store


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except DirectoryFileError as error:
        _stop([*error.mistakes, "nothing was written"])
    except (StoreError, OSError) as error:
        _stop([str(error)])


def _stop(lines: list[str]) -> NoReturn:
    for line in lines:
        typer.echo(f"shardgate: {line}", err=True)
    raise typer.Exit(1)
