"""The Dockerfile and its locks, read; `make image-test` builds and runs it."""

import re
import shutil
from pathlib import Path

import pytest

from shardgate.core.limits import Timeouts
from tools.containers.engine import Engine, folder, lacking
from tools.containers.image import NAME, contents_of
from tools.supply.packages import LOCK, installed_gateway, locked

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "deploy/image"
DOCKERFILE = (IMAGE / "Dockerfile").read_text()
STOP_TIMEOUT_S = 30.0
"""Of ECS and Kubernetes, where nobody changes it."""


def final_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_its_last_stage_runs_nothing_and_has_no_root_and_no_shell() -> None:
    stage = final_stage().replace("\\\n", "")
    assert not re.search(r"^(RUN|ADD|SHELL)\b", stage, re.MULTILINE)
    (user,) = re.findall(r"^USER (\d+):\d+$", stage, re.MULTILINE)
    assert int(user) > 0
    for instruction in ("ENTRYPOINT", "CMD", "HEALTHCHECK"):
        (words,) = re.findall(rf"^{instruction} (?:.*CMD )?(\S.*)$", stage, re.MULTILINE)
        assert words.startswith("["), f"{instruction} needs a shell"


def test_no_secret_is_given_to_the_build() -> None:
    assert not re.search(r"^(ENV|ARG) .*(SECRET|TOKEN|PASSWORD|KEY)\b", DOCKERFILE, re.MULTILINE)
    ignored = (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert ignored[1] == "*"
    assert allowed == {
        "LICENSE", "README.md", "pyproject.toml", "hatch_build.py", "src", "requirements-supply.lock",
        "deploy/image/*.lock", "deploy/image/sbom.py",
    }  # fmt: skip


@pytest.mark.parametrize("lock", ["image/build.lock", "image/runtime.lock", "compose/platform.lock"])
def test_its_locks_have_hashes_and_the_versions_that_are_tested(lock: str) -> None:
    found, tested = pins(ROOT / "deploy" / lock), pins(LOCK)
    assert found.keys() - tested.keys() <= {"setuptools"}
    assert {name: version for name, version in found.items() if name in tested} == {
        name: tested[name] for name in found.keys() & tested.keys()
    }
    text = (ROOT / "deploy" / lock).read_text()
    assert text.count("--hash=sha256:") >= len(found) > 10
    assert "://" not in text


def test_the_image_has_all_that_a_gateway_needs() -> None:
    base, _ = installed_gateway()
    assert locked(IMAGE / "runtime.lock") >= base


def test_a_gateway_drains_within_what_orchestrators_wait() -> None:
    timeouts = Timeouts()
    assert timeouts.drain_delay_s + timeouts.drain_timeout_s + 5 <= STOP_TIMEOUT_S


KNOWN = {
    "RootFS": {"Layers": ["a", "b"]},
    "Config": {"User": "65532:65532"},
    "Created": "2026",
    "Id": "1",
    "Digest": "d",
}


def test_the_digest_of_contents_is_of_what_runs_and_not_of_how_it_was_built() -> None:
    same = [KNOWN, {**KNOWN, "Id": "2", "Digest": "e", "Parent": "p", "History": [{"comment": "FROM x"}]}]
    others = [
        {**KNOWN, "RootFS": {"Layers": ["b", "a"]}},
        {**KNOWN, "Config": {"User": "0"}},
        {**KNOWN, "Created": "2027"},
    ]
    assert len({contents_of(each) for each in same}) == 1
    assert len({contents_of(each) for each in [KNOWN, *others]}) == 4


def test_the_image_that_was_built_runs() -> None:
    """Only where `make image` was run: to build it takes minutes."""
    if lacking() or not folder().exists() or not Engine().has(f"{NAME}:dev"):
        pytest.skip("there is no image here: `make image-test` builds and tests it")
    engine = Engine()
    assert shutil.which("podman") is not None
    said = engine("run", "--rm", "--network=none", "--read-only", f"{NAME}:dev", "--version", within_s=60)
    assert re.fullmatch(r"shardgate \d+\.\d+\S*", said)
