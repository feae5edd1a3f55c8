"""What runs the instances of a version: podman, with the image, or plain processes of this checkout behind the same
face, for machines where no containers can be run.

*Holds:* an instance gets the secret and its addresses from its environment, in both.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import yaml

from proof.data import BIN
from proof.rehearsal.slots import Slot

STOP_TIMEOUT_S = 30.0
LAST_LINES, LINE_CHARS_MAX = 3, 120


class Instance(Protocol):
    """One instance of the gateway."""

    def is_running(self) -> bool:
        """Whether its first process runs."""

    def last_words(self) -> str:
        """The end of what it wrote."""

    def stop(self) -> None:
        """SIGTERM, and wait until it has drained; then it is removed. It may have ended before."""


class Runtime(Protocol):
    """Builds versions and starts instances of them."""

    data: str
    """The folder with the directory and the store, as an instance sees it."""

    def build(self, name: str, layer: Path) -> str:
        """Make a version of a folder with its configuration. Returns what was made, in words."""

    def start(self, name: str, slot: Slot) -> Instance:
        """Start an instance of a version."""


class ProcessInstance:
    """A process of this checkout."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """The end of its log."""
        return last_lines(self._log.read_text(errors="replace"))

    def stop(self) -> None:
        """Politely; after `STOP_TIMEOUT_S` not any more."""
        if self.is_running():
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Processes:
    """`shardgate serve` of this checkout, in a folder of its own for each slot."""

    def __init__(self, folder: Path, data: Path, secrets: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = {**os.environ, **secrets}
        self._layers: dict[str, Path] = {}
        self.data = str(data)

    def build(self, name: str, layer: Path) -> str:
        """Nothing is built: the folder itself is served."""
        self._layers[name] = layer
        return f"the sources of this checkout, configured by {layer.name}"

    def start(self, name: str, slot: Slot) -> ProcessInstance:
        """The configuration names the slot's addresses, since its folder is the version's."""
        layer = self._layers[name]
        own = layer / f"{slot.name}.yaml"
        addresses = {"listen": f"127.0.0.1:{slot.port}", "admin": f"127.0.0.1:{slot.admin_port}"}
        own.write_text(yaml.safe_dump(yaml.safe_load((layer / "shardgate.yaml").read_text()) | addresses))
        log = self._folder / f"{name}-{slot.name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", str(BIN / "shardgate"), "serve", "-c", str(own)],
                stdout=output,
                stderr=output,
                env=self._environment,
            )
        return ProcessInstance(process, log)


def last_lines(text: str) -> str:
    """The end of a log, on one line."""
    return " | ".join(line.strip()[:LINE_CHARS_MAX] for line in text.strip().splitlines()[-LAST_LINES:])
