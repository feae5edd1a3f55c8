"""What must hold of the image, each found by looking at a container that runs. Each check returns what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path

from tools.containers.container import Container
from tools.containers.engine import Engine
from tools.wheels.modules import hot_modules

_PYTHON = "/opt/shardgate/bin/python"
_COMPILED = """
import importlib.util, json, sys
print(json.dumps([n for n in json.loads(sys.argv[1]) if not importlib.util.find_spec(n).origin.endswith('.so')]))
"""
_SECRETS = """
import json, pathlib
ends = ('.secret', '.key', '.env', '.db', 'pip.conf', '.netrc')
print(json.dumps([str(p) for top in ('/opt', '/etc/shardgate', '/root', '/home') for p in pathlib.Path(top).rglob('*')
                  if p.name.endswith(ends)] + [p for p in ('/etc/pip.conf',) if pathlib.Path(p).exists()]))
"""


def problems(engine: Engine, image: str, container: Container) -> Iterator[str]:
    """All that is wrong with a running container of the image."""
    yield from _user(container)
    yield from _root(container)
    yield from _compiled(container)
    yield from _secrets(engine, image)
    if not container.is_healthy():
        yield "its health check fails"


def _user(container: Container) -> Iterator[str]:
    status = _status(container.pid)
    if "0" in status["Uid"].split():
        yield "it runs as root"
    if int(status["CapEff"], 16):
        yield f"it has the capabilities {status['CapEff']}"
    if status["NoNewPrivs"] != "1":
        yield "its processes may gain rights"


def _root(container: Container) -> Iterator[str]:
    """The flags of the mount that is `/` in the container."""
    mounts = [line.split() for line in Path(f"/proc/{container.pid}/mountinfo").read_text().splitlines()]
    flags = next(fields[5].split(",") for fields in mounts if fields[4] == "/")
    if "ro" not in flags:
        yield "its root can be written"


def _compiled(container: Container) -> Iterator[str]:
    modules = hot_modules()
    interpreted = json.loads(container.execute(_PYTHON, "-c", _COMPILED, json.dumps(modules)))
    if interpreted or not modules:
        yield f"{len(interpreted)} of {len(modules)} hot modules are not compiled: {', '.join(interpreted[:3])}"


def _secrets(engine: Engine, image: str) -> Iterator[str]:
    """Files and variables of the image itself, with nothing mounted."""
    ran = engine("run", "--rm", "--network=none", f"--entrypoint={_PYTHON}", image, "-c", _SECRETS)
    if found := json.loads(ran):
        yield f"secrets or state are in the image: {', '.join(found)}"
    known = json.loads(engine("image", "inspect", image))[0]
    named = [each.partition("=")[0] for each in known["Config"].get("Env", [])]
    if secret := [name for name in named if any(word in name for word in ("SECRET", "TOKEN", "KEY", "PASSWORD"))]:
        yield f"the image sets {', '.join(secret)}"


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
