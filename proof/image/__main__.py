"""`make image-test`: builds the image, runs it as an orchestrator does, and ends it under load.

The last line says what holds: `image: starts in T s, S MB, read-only, non-root, drains on SIGTERM with 0 failed`.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from proof.image.checks import problems
from proof.image.load import Load
from proof.image.platform import Platform, wait_ready
from tools.containers.container import Container, running
from tools.containers.engine import ContainersError, Engine
from tools.containers.image import Image, build, inspect
from tools.containers.sbom import listed
from tools.containers.sbom import problems as lacks
from tools.ports import reserved_port

START_S_MAX = 60.0
"""Also on a machine that has much else to do: a quiet one needs a second."""
DRAIN_S_MAX = 30.0
"""What ECS and Kubernetes wait before they kill."""
_BEFORE_S, _AFTER_S = 3.0, 3.0
_PATHS = ("/v3/events?limit=20", "/v3/events?order=-rating&limit=50", "/v3/categories", "/v3/orders?limit=10")
_NO_SHELL = ("--volume=/dev/null:/usr/bin/dash:ro", "--volume=/dev/null:/usr/bin/bash:ro")


def main() -> None:
    """Run all; the exit code is 1 where one thing is not so."""
    options = argparse.ArgumentParser(prog="python -m proof.image")
    options.add_argument("--image", help="test this one, and build none")
    options.add_argument("--once", action="store_true", help="do not build a second time to compare")
    given = options.parse_args()
    try:
        engine = Engine()
        image = inspect(engine, given.image) if given.image else build(engine, "dev")
        wrong = [] if given.once or given.image else [*_not_the_same(engine, image)]
        components = json.loads(listed(engine, image.name))
        wrong += [f"its SBOM: {each}" for each in lacks(components)]
        with _folder() as folder, Platform(folder) as platform:
            started_s, drained_s, answered, found = _run(engine, image, platform)
    except (ContainersError, RuntimeError) as error:
        sys.exit(f"image: {error}")
    wrong += found
    for each in wrong:
        print(f"image: WRONG: {each}")
    if wrong:
        sys.exit(1)
    print(
        f"image: {answered} requests were answered while a gateway drained in {drained_s:.1f} s and another took over"
    )
    print(f"image: contents sha256:{image.contents}, {len(components['components'])} components in its SBOM")
    print(
        f"image: starts in {started_s:.1f} s, {image.size_mb:.0f} MB, read-only, non-root, "
        "drains on SIGTERM with 0 failed"
    )


def _run(engine: Engine, image: Image, platform: Platform) -> tuple[float, float, int, list[str]]:
    """Start one, look at it, put another beside it under load, and end the first."""
    port, admins = reserved_port(), (reserved_port(), reserved_port())
    wrong: list[str] = []
    with _gateway(engine, image, platform, port, admins[0]) as first:
        wait_ready(admins[0], START_S_MAX)
        started_s = time.monotonic() - first.started_at
        wrong += problems(engine, image.name, first)
        url = f"http://127.0.0.1:{port}"
        with Load(url, _PATHS, platform.headers(url)) as load:
            time.sleep(_BEFORE_S)
            with _gateway(engine, image, platform, port, admins[1]):
                wait_ready(admins[1], START_S_MAX)
                before = load.answered
                first.signal("TERM")
                signalled_at = time.monotonic()
                code = first.wait(DRAIN_S_MAX)
                drained_s = time.monotonic() - signalled_at
                time.sleep(_AFTER_S)
                after = load.answered
                load.stop()
        if code != 0:
            wrong.append(f"its exit code after SIGTERM is {code}:\n{first.logs()[-2000:]}")
    if after == before:
        wrong.append("no request was answered after SIGTERM")
    wrong += [f"{len(load.failed)} requests failed: {load.failed[:3]}"] if load.failed else []
    return started_s, drained_s, load.answered, wrong


@contextmanager
def _gateway(engine: Engine, image: Image, platform: Platform, port: int, admin: int) -> Iterator[Container]:
    environment = platform.environment(port, admin)
    name = f"shardgate-image-{admin}"
    with running(
        engine, image.name, name, environment=environment, mounts=platform.mounts, options=_NO_SHELL
    ) as container:
        try:
            yield container
        except ContainersError:
            print(container.logs()[-3000:])
            raise


def _not_the_same(engine: Engine, image: Image) -> Iterator[str]:
    """The layers that a second build, without the first one's, makes differently."""
    again = build(engine, "again", fresh=True)
    different = [
        number for number, pair in enumerate(zip(image.layers, again.layers, strict=True)) if pair[0] != pair[1]
    ]
    if different:
        yield f"built twice, its layers {different} differ: it is not reproducible"
    elif again.contents != image.contents:
        yield "built twice, its layers are the same and its settings are not: it is not reproducible"
    else:
        print(f"image: built twice from the same sources: the same {len(image.layers)} layers and settings")


@contextmanager
def _folder() -> Iterator[Path]:
    """One that the user of the container may enter."""
    folder = Path(mkdtemp(prefix="shardgate-image-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
