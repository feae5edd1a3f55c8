"""`make image-sbom`: copies the list of what an image consists of out of it, and validates it.

    python -m tools.containers.sbom IMAGE FILE

*Holds:* the file is valid CycloneDX, and names Python, the gateway and packages of Debian; otherwise it is not written.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.containers.engine import ROOT, ContainersError, Engine

PLACE = "/opt/shardgate/shardgate.cdx.json"
_PYTHON = "/opt/shardgate/bin/python"
_PRINTED = f"import sys; sys.stdout.write(open({PLACE!r}).read())"
_VALIDATED = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(None if error is None else str(error)[:2000])
"""


def problems(read: dict[str, Any]) -> Iterator[str]:
    """What it lacks, though it may be valid."""
    known = {(each["name"], each["type"]) for each in read["components"]}
    for wanted in (("shardgate", "library"), ("msgspec", "library"), ("cpython", "platform")):
        if wanted not in known:
            yield f"it does not name {wanted[0]}"
    if not any(each.get("purl", "").startswith("pkg:deb/") for each in read["components"]):
        yield "it names no package of Debian"
    refs = [each["bom-ref"] for each in read["components"]]
    if len(refs) != len(set(refs)):
        yield "it names something twice"


def listed(engine: Engine, image: str) -> str:
    """The list that is in an image, in JSON. Raises ContainersError."""
    return engine("run", "--rm", "--network=none", f"--entrypoint={_PYTHON}", image, "-c", _PRINTED)


def main(image: str, file: Path) -> str:
    """Returns the line that says what was written. Raises ContainersError."""
    text = listed(Engine(), image)
    command = [str(ROOT / ".venv-supply/bin/python"), "-c", _VALIDATED]
    judged = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if judged.returncode != 0:
        raise ContainersError(f"it is no valid CycloneDX: {judged.stderr[-2000:]}")
    read = json.loads(text)
    if wrong := [*problems(read)]:
        raise ContainersError("; ".join(wrong))
    file.parent.mkdir(exist_ok=True)
    file.write_text(text + "\n")
    return f"sbom: {file}, {len(read['components'])} components of {image}"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1], Path(sys.argv[2])))
    except ContainersError as error:
        sys.exit(f"sbom: {error}")
