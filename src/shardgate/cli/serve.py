"""`shardgate serve`: run the gateway."""

import logging
from typing import Annotated

import msgspec
import typer

from shardgate.cli.console import DEFAULT_CONFIG, ConfigOption, load_or_exit
from shardgate.config.load import Loaded, parse_listen
from shardgate.core.limits import WORKERS_MAX
from shardgate.process.configured import read
from shardgate.process.supervisor import Serving, Supervisor


def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    listen: Annotated[
        str | None, typer.Option(help="Host and port, instead of the file's.", metavar="HOST:PORT")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes, instead of the file's; 0: one a core.", min=0, max=WORKERS_MAX)
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; what is under way is then still answered.

    SIGHUP reads the configuration anew; SIGUSR1 opens the access log anew.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    address = None if listen is None else parse_listen(listen)
    if listen is not None and address is None:
        raise typer.BadParameter("write it as 127.0.0.1:8080", param_hint="--listen")

    def override(loaded: Loaded) -> Loaded:
        if workers is not None:
            loaded = msgspec.structs.replace(loaded, config=msgspec.structs.replace(loaded.config, workers=workers))
        if address is not None:
            loaded = msgspec.structs.replace(loaded, host=address[0], port=address[1])
        return loaded

    loaded = override(load_or_exit(config))
    try:
        supervisor = Supervisor(loaded, lambda: override(read(config)))
    except OSError as error:
        named = f"{loaded.host}:{loaded.port}" + (" or {}:{}".format(*loaded.admin) if loaded.admin else "")
        typer.echo(f"shardgate: cannot listen on {named}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(supervisor.run(_tell))


def _tell(serving: Serving) -> None:
    loaded, pids = serving.loaded, serving.pids
    noun = "worker" if len(pids) == 1 else "workers"
    listed = ", ".join(map(str, pids))
    scheme = "http" if loaded.tls is None else "https"
    typer.echo(
        f"shardgate: ready on {scheme}://{loaded.host}:{serving.port} over {len(loaded.shards)} shards, "
        f"{len(pids)} {noun} (pid {listed})"
    )
    if loaded.admin is not None:
        typer.echo(f"shardgate: admin on http://{loaded.admin[0]}:{serving.admin_port}: /metrics, /healthz, /readyz")
