"""Writes what the image consists of, as CycloneDX: the packages of Python, those of Debian, and Python itself.

    sbom.py PACKAGES.json DPKG_FOLDER VERSION > shardgate.cdx.json

Reads what cyclonedx-py says of the environment, and the folder /var/lib/dpkg of the base. It runs within the build.

Holds: the same image has the same text: no time, no number of a run.
"""

import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote


def debian(folder: Path) -> Iterator[dict[str, Any]]:
    """The packages of Debian that are installed. A base without dpkg's list of them is an error, and no empty list."""
    files = [folder / "status", *sorted((folder / "status.d").glob("*"))]
    texts = [file.read_text() for file in files if file.is_file() and file.suffix != ".md5sums"]
    for paragraph in "\n\n".join(texts).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        # The files of images without a shell (status.d) say of no package that it is installed: they have no others.
        if "Package" in fields and fields.get("Status", "install ok installed").endswith(" installed"):
            name, version, processor = (fields[each] for each in ("Package", "Version", "Architecture"))
            url = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={processor}"
            yield {"bom-ref": url, "name": name, "purl": url, "type": "library", "version": version}


def completed(packages: dict[str, Any], folder: Path, version: str, python: str) -> dict[str, Any]:
    """What is known of the environment, with all that is below it. Raises ValueError where the base names nothing."""
    below = sorted(debian(folder), key=lambda each: str(each["bom-ref"]))
    if not below:
        raise ValueError(f"{folder} names no package: the base must be a Debian")
    interpreter = {"bom-ref": "cpython", "name": "cpython", "type": "platform", "version": python}
    whole = {"bom-ref": "image", "name": "shardgate", "type": "container", "version": version}
    metadata = {**packages.get("metadata", {}), "component": whole}
    found = [*packages["components"], interpreter, *below]
    contains = {"ref": "image", "dependsOn": sorted(each["bom-ref"] for each in found)}
    known = [each for each in packages.get("dependencies", []) if each["ref"] not in {"image", "root-component"}]
    return {**packages, "metadata": metadata, "components": found, "dependencies": [contains, *known]}


if __name__ == "__main__":
    _, listed, dpkg, given = sys.argv
    whole = completed(json.loads(Path(listed).read_text()), Path(dpkg), given, platform.python_version())
    sys.stdout.write(json.dumps(whole, indent=1, sort_keys=True) + "\n")
