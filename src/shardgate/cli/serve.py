"""`shardgate serve`: runs the gateway."""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.config.load import Loaded, parse_listen
from shardgate.core.limits import WORKERS_MAX
from shardgate.observe.log_format import LogFormat, start_logging
from shardgate.process.directory import prepare_directory
from shardgate.process.preflight import judged, read
from shardgate.process.supervisor import Serving, Supervisor
from shardgate.store.database import StoreError


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[
        str | None, typer.Option(help="The address to listen on, instead of the configured one.", metavar="HOST:PORT")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="Worker processes, instead of the configured number. 0: one for each core.", min=0, max=WORKERS_MAX
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Serve no configuration that `shardgate check` warns of.")
    ] = False,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            help="The gateway's own log: text to standard error, or JSON to standard output.",
            envvar="SHARDGATE_LOG_FORMAT",
        ),
    ] = "text",
) -> None:
    """Run the gateway until it gets SIGTERM or Ctrl-C.

    Example:

        shardgate serve --config shardgate.yaml --listen 0.0.0.0:8080

    Once all workers accept requests, it prints its address. A worker that
    dies is replaced.

    SIGTERM, Ctrl-C: accept no more requests, finish those that are under
      way, then exit with code 0.
    SIGHUP: read the configuration again. If it has mistakes, they are logged
      and the old configuration stays. No client is refused meanwhile.
    SIGUSR1: open the access log again, after it was renamed.
    SIGUSR2: start the same command again, a new version maybe, which takes
      the listening sockets over; once it serves, this process drains and
      exits. Where it does not come to serve, this one goes on.

    Variables of the environment win over the configuration, options over
    both: SHARDGATE_LISTEN for `listen`, SHARDGATE_SHARDS for all shards.

    If the configuration has mistakes at the start, or the address is taken,
    the exit code is 1. Choices in it that are dangerous are logged, as
    `shardgate check` shows them.
    """
    start_logging(log_format)
    address = None if listen is None else parse_listen(listen)
    if listen is not None and address is None:
        raise typer.BadParameter("write HOST:PORT, as in 127.0.0.1:8080", param_hint="--listen")

    def read_it(file: Path) -> Loaded:
        loaded = read(file)
        if workers is not None:
            loaded = msgspec.structs.replace(loaded, config=msgspec.structs.replace(loaded.config, workers=workers))
        if address is not None:
            loaded = msgspec.structs.replace(loaded, host=address[0], port=address[1])
        return judged(loaded, strict=strict)

    loaded = load_or_exit(config, read_it)
    try:
        prepare_directory(loaded)
    except StoreError as error:
        typer.echo(f"shardgate: {error}", err=True)
        raise typer.Exit(1) from None
    try:
        supervisor = Supervisor(loaded, lambda: read_it(config))
    except OSError as error:
        named = f"{loaded.host}:{loaded.port}" + (" or {}:{}".format(*loaded.admin) if loaded.admin else "")
        typer.echo(f"shardgate: cannot listen on {named}: {error.strerror}. Choose another address", err=True)
        raise typer.Exit(1) from None
    say = logging.getLogger("shardgate").info if log_format == "json" else typer.echo
    raise typer.Exit(supervisor.run(partial(_say_ready, say)))


def _say_ready(say: Callable[[str], None], serving: Serving) -> None:
    loaded, pids = serving.loaded, serving.pids
    noun = "worker" if len(pids) == 1 else "workers"
    listed = ", ".join(map(str, pids))
    scheme = "http" if loaded.tls is None else "https"
    say(
        f"shardgate: ready on {scheme}://{loaded.host}:{serving.port} over {len(loaded.shards)} shards, "
        f"{len(pids)} {noun} (pid {listed})"
    )
    if loaded.admin is not None:
        say(f"shardgate: admin on http://{loaded.admin[0]}:{serving.admin_port}: /metrics, /healthz, /readyz")
