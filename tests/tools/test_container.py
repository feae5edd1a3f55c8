"""A container may end at any moment, also between a look at it and a signal to it."""

import json
from pathlib import Path

import pytest

from tools.containers import container
from tools.containers.container import Container
from tools.containers.engine import ContainersError, Engine

PODMAN = """#!/bin/sh
here=$(dirname "$0")
case " $* " in
  *" kill "*) echo "can only kill running containers" >&2; exit 125;;
  *" inspect "*) cat "$here/state.json"; [ ! -e "$here/next.json" ] || mv "$here/next.json" "$here/state.json";;
esac
"""
"""A podman whose container gets no signal; it tells the next state from the second look on."""


def state(*, running: bool) -> str:
    return json.dumps([{"State": {"Running": running, "ExitCode": 0 if running else 3}}])


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    """A container that runs, of a podman that fails to send it a signal."""
    for name in ("podman", "runc"):
        (tmp_path / name).write_text(PODMAN)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "state.json").write_text(state(running=True))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CONTAINERS_CACHE", str(tmp_path / "cache"))
    return Container(Engine(), "gateway", 0.0)


def test_a_signal_to_a_container_that_has_ended_is_no_failure(ending: Container, tmp_path: Path) -> None:
    # Found: the first version of a rehearsal ended between the look and the signal, and the rehearsal with it.
    (tmp_path / "state.json").write_text(state(running=False))
    ending.signal("TERM")
    assert ending.wait(1.0) == 3


def test_podman_may_know_of_the_end_a_moment_later(ending: Container, tmp_path: Path) -> None:
    (tmp_path / "next.json").write_text(state(running=False))
    ending.signal("TERM")
    assert ending.wait(1.0) == 3


def test_a_signal_that_does_not_reach_a_running_container_is_a_failure(
    ending: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_NOTICED_S", 0.1)
    with pytest.raises(ContainersError, match="can only kill running containers"):
        ending.signal("TERM")
