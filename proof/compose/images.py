"""The images of compose.yaml: built from this checkout, pulled, or, where no registry is reached, made of this Debian.

Holds: what cannot be had is said, and never passed over in silence.
"""

from collections.abc import Mapping, Sequence

import msgspec

from proof.compose.composed import Service
from tools.containers.base import bases, made
from tools.containers.engine import ROOT, ContainersError, Engine
from tools.containers.image import settings_of_pip, source_date_epoch

_POSTGRES = """
set -e
data=/var/lib/postgresql/data
mkdir -p /var/run/postgresql
chown postgres $data /var/run/postgresql
runuser -u postgres -- initdb --pgdata=$data --username=postgres --encoding=UTF8 --auth=trust >/dev/null
echo 'host all all all scram-sha-256' >> $data/pg_hba.conf
runuser -u postgres -- pg_ctl --pgdata=$data --options='-c listen_addresses=' --wait --log=/tmp/log start >/dev/null \\
  || { cat /tmp/log; exit 1; }
runuser -u postgres -- psql --quiet --username=postgres --command="ALTER ROLE postgres PASSWORD '$POSTGRES_PASSWORD'"
for file in /docker-entrypoint-initdb.d/*.sql; do
  runuser -u postgres -- psql --quiet --username=postgres --file=$file
done
runuser -u postgres -- pg_ctl --pgdata=$data --wait stop >/dev/null
exec runuser -u postgres -- postgres -D $data -c 'listen_addresses=*'
"""
_PULL_S = 600


class Substitute(msgspec.Struct, frozen=True):
    """What stands for an image that cannot be pulled: packages of Debian, and what they are told."""

    packages: tuple[str, ...]
    command: tuple[str, ...]
    path: str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin"


SUBSTITUTES: Mapping[str, Substitute] = {
    "postgres": Substitute(
        ("postgresql",), ("bash", "-c", _POSTGRES), "/usr/lib/postgresql/15/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    ),
    "prometheus": Substitute(
        ("prometheus", "ca-certificates"),
        ("prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/tmp/prometheus"),
    ),
}


class Found(msgspec.Struct, frozen=True):
    """An image that can be run, and the command where it is not the image's own."""

    image: str
    command: Sequence[str] = ()
    path: str = ""


def find(engine: Engine, service: Service, *, built: bool) -> Found | None:
    """The service's image; None where it cannot be had. `built`: those of this checkout are here already.

    Raises ContainersError where it cannot be built.
    """
    if service.image.startswith("localhost/"):
        if service.dockerfile and not (built and engine.has(service.image)):
            _build(engine, service)
        return Found(service.image)
    try:
        engine("pull", "--quiet", service.image, within_s=_PULL_S)
    except ContainersError:
        instead = SUBSTITUTES.get(service.name)
        if instead is None:
            return None
        return Found(made(engine, f"compose-{service.name}", instead.packages), instead.command, instead.path)
    return Found(service.image)


def _build(engine: Engine, service: Service) -> None:
    base, build_base = bases(engine)
    file = ROOT / service.dockerfile
    epoch = source_date_epoch()
    engine(
        "build", "--quiet", "--format=docker", "--network=host", f"--timestamp={epoch}", f"--build-arg=BASE={base}",
        f"--build-arg=BUILD_BASE={build_base}", f"--build-arg=SOURCE_DATE_EPOCH={epoch}",
        f"--ignorefile={file}.dockerignore", f"--file={file}", *settings_of_pip(engine), f"--tag={service.image}",
        str(ROOT), within_s=1800,
    )  # fmt: skip
