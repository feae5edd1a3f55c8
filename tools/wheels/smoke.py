"""The test of each wheel that cibuildwheel has built: all hot modules are compiled, and a configuration is read.

python smoke.py pyproject.toml, by the interpreter into which the wheel was installed. It needs nothing else.
"""

import importlib
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

CONFIG = """
shards: {north: "http://127.0.0.1:1"}
rules: {GET /events: {rule: any}}
"""


def main(table: Path) -> None:
    """Raises where something does not hold."""
    target = tomllib.loads(table.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    hook = target["hooks"]["custom"]
    modules = [f"shardgate.{name.replace('/', '.')}" for name in [*hook["modules"], *hook["c_modules"]]]
    interpreted = [name for name in modules if not str(importlib.import_module(name).__file__).endswith(".so")]
    if interpreted:
        sys.exit(f"not compiled: {', '.join(interpreted)}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shardgate.yaml"
        file.write_text(CONFIG)
        subprocess.run([sys.executable, "-m", "shardgate", "check", "-c", str(file)], check=True)
    print(f"wheel: {len(modules)} hot modules are compiled")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
