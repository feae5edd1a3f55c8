"""The versions that are deployed: each is the image with a layer on it, of a configuration and maybe a plug-in.

*Never:* puts a secret or a port into a layer: an instance gets them when it is started.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from proof.data import ROOT

EXAMPLE = ROOT / "examples" / "bookings"
FAULTS = Path(__file__).with_name("faults.py")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version."""

    name: str
    is_good: bool = False
    fault: str = ""
    """The class of `faults.py` that is put before the locators of events."""
    options: Mapping[str, Any] = {}
    settings: Mapping[str, Any] = {}
    """What its configuration has otherwise."""


FIRST = Version(name="a", is_good=True)
VERSIONS = (
    Version(name="b", is_good=True, settings={"timeouts": {"drain_delay_s": 1, "drain_timeout_s": 15}}),
    Version(name="answers-500", fault="Failing"),
    Version(name="slow", fault="Slow"),
    Version(name="does-not-start", settings={"listne": "a mistake in a name"}),
)
"""In the order in which they are deployed."""


def late(event: str) -> Version:
    """A version that fails for one event alone."""
    return Version(name="fails-late", fault="Picky", options={"event": event})


class Site(msgspec.Struct, frozen=True):
    """What a configuration says of where it is served."""

    shards: Mapping[str, str]
    data: str
    """The folder with the directory and the store, as the gateway sees it."""


def write(version: Version, site: Site, folder: Path) -> Path:
    """The folder of a layer: `shardgate.yaml` and the files that it names."""
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLE / "openapi.json", folder)
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config(version, site), sort_keys=False))
    if version.fault:
        shutil.copy(FAULTS, folder)
    return folder


def config(version: Version, site: Site) -> dict[str, Any]:
    """The platform's own configuration, with what a version changes."""
    read: dict[str, Any] = yaml.safe_load((EXAMPLE / "shardgate.yaml").read_text())
    chains = msgspec.json.decode((EXAMPLE / "openapi.json").read_bytes())["x-shardgate"]["locators"]
    read |= {
        "workers": 1,
        "directory": f"{site.data}/directory.db",
        "shards": dict(site.shards),
        "timeouts": {"drain_delay_s": 1},
        **version.settings,
    }
    if version.fault:
        plugin = {"kind": "custom", "class": f"./faults.py:{version.fault}", "options": dict(version.options)}
        read["locators"] = {"event": [plugin, *chains["event"]]}
    return read
