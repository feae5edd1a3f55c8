"""templates/plugin, built and installed as its README says, before two real shards."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
import yaml

from tests.docs.test_extend import ROOT, TEMPLATE, YAML, StartGateway, StartShard, config_of, see_the_shop, shop


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the package into. Nothing is downloaded: the build uses this environment."""
    pytest.importorskip("hatchling", reason="`make setup` installs hatchling, which builds the package")
    folder = tmp_path_factory.mktemp("template")
    copytree(TEMPLATE, folder / "copy", ignore=ignore_patterns("__pycache__", ".*"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    target = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(folder / "copy")]
    subprocess.run(pip, check=True, timeout=100)
    return target


@pytest.fixture
def importable(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is installed in this process."""
    monkeypatch.syspath_prepend(str(installed))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_plugins"]:
        del sys.modules[name]


def run(folder: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(installed), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.usefixtures("importable")
async def test_the_installed_package_serves_as_the_how_to_names_it(
    start_shard: StartShard, start_gateway: StartGateway
) -> None:
    shards = await shop(start_shard)
    await see_the_shop(await start_gateway(config_of(YAML[3:], shards)), shards)


@pytest.mark.usefixtures("importable")
async def test_the_configuration_of_the_template_serves(start_shard: StartShard, start_gateway: StartGateway) -> None:
    shards = await shop(start_shard)
    config = yaml.safe_load((TEMPLATE / "shardgate.yaml").read_text())
    config["shards"] = {name: shards[name].url for name in config["shards"]}
    await see_the_shop(await start_gateway(config), shards)


def test_the_tests_of_the_template_pass(installed: Path) -> None:
    done = run(installed.parent / "copy", installed, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert done.returncode == 0, done.stdout


def test_check_finds_the_plug_ins_and_names_them_where_a_word_is_unknown(installed: Path, tmp_path: Path) -> None:
    text = (TEMPLATE / "shardgate.yaml").read_text()
    (tmp_path / "shardgate.yaml").write_text(text)
    done = run(tmp_path, installed, "shardgate", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 shards, 3 operations served" in done.stdout
    (tmp_path / "shardgate.yaml").write_text(text.replace("cheapest", "cheepest").replace("up_to", "upto"))
    done = run(tmp_path, installed, "shardgate", "check")
    assert done.returncode == 1
    told = " ".join((done.stdout + done.stderr).split())
    assert "rules.GET /offers/best.merge.kind: unknown word 'cheepest'" in told
    assert "did you mean `cheapest`? There are: count, custom, " in told
    assert "; installed plug-ins: cheapest" in told
    assert "locators.product[0].upto" in told
    assert "did you mean `up_to`?" in told
