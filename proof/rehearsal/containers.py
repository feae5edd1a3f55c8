"""The runtime with the real image: a layer for each version, a container for each instance.

*Holds:* a container is removed at the end of the rehearsal, whatever happened; those of a rehearsal that was killed are
removed by the next one, as they have the same names.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from proof.rehearsal.runtime import STOP_TIMEOUT_S, last_lines
from proof.rehearsal.slots import Slot
from tools.containers.container import Container, running
from tools.containers.engine import Engine

USER = 65532
"""The user of the image."""
DATA = "/var/lib/shardgate"
_LAYER = """FROM {image}
COPY --chown={user}:{user} . /etc/shardgate/
LABEL org.opencontainers.image.version={name}
"""


class ContainerInstance:
    """A container of a version."""

    def __init__(self, container: Container, removal: ExitStack) -> None:
        self._container = container
        self._removal = removal

    def is_running(self) -> bool:
        """Whether its first process runs."""
        return self._container.is_running

    def last_words(self) -> str:
        """The end of its log."""
        return last_lines(self._container.logs())

    def stop(self) -> None:
        """SIGTERM as an orchestrator sends it, wait, remove."""
        with self._removal:
            self._container.signal("TERM")
            self._container.wait(STOP_TIMEOUT_S)


class Containers:
    """podman; inside of its `with` block."""

    def __init__(self, engine: Engine, image: str, data: Path, secrets: Mapping[str, str]) -> None:
        self._engine = engine
        self._image = image
        self._host_data = data
        self._secrets = secrets
        self._names: dict[str, str] = {}
        self._stack = ExitStack()
        self.data = DATA

    def __enter__(self) -> Self:
        if os.geteuid() == 0:  # the image's user writes the store
            for each in (self._host_data, *self._host_data.iterdir()):
                os.chown(each, USER, USER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        for name in self._names.values():
            self._engine("rmi", "--force", name)

    def build(self, name: str, layer: Path) -> str:
        """A layer on the real image."""
        tagged = f"localhost/shardgate-rehearsal:{name}"
        file = layer.with_suffix(".Dockerfile")
        file.write_text(_LAYER.format(image=self._image, user=USER, name=name))
        self._engine("build", "--quiet", "--format=docker", f"--file={file}", f"--tag={tagged}", str(layer))
        self._names[name] = tagged
        return tagged

    def start(self, name: str, slot: Slot) -> ContainerInstance:
        """A container whose first process is the gateway."""
        removal = ExitStack()
        self._stack.callback(removal.close)
        environment = {
            **self._secrets,
            "SHARDGATE_LISTEN": f"127.0.0.1:{slot.port}",
            "SHARDGATE_ADMIN": f"127.0.0.1:{slot.admin_port}",
        }
        container = removal.enter_context(
            running(
                self._engine,
                self._names[name],
                f"shardgate-rehearsal-{slot.name}",
                environment=environment,
                mounts={self._host_data: DATA},
            )
        )
        return ContainerInstance(container, removal)
