"""What the image consists of: its own list names what its base has, too, and is the same text each time."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from tools.containers.sbom import problems

ROOT = Path(__file__).resolve().parents[2]
SBOM = runpy.run_path(str(ROOT / "deploy/image/sbom.py"))
PACKAGES: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "components": [
        {"bom-ref": "msgspec==1", "name": "msgspec", "type": "library", "version": "1"},
        {"bom-ref": "shardgate==2", "name": "shardgate", "type": "library", "version": "2"},
    ],
    "dependencies": [{"ref": "shardgate==2", "dependsOn": ["msgspec==1"]}, {"ref": "root-component"}],
    "metadata": {"properties": []},
}
STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 1:2.36-9+deb12u14
Description: the C library
 Version: of a line of text

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


def completed(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = SBOM["completed"](json.loads(json.dumps(PACKAGES)), folder, "2", "3.12.1")
    return found


def test_it_names_packages_of_python_and_of_debian_and_python_itself(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    whole = completed(tmp_path)
    assert [(each["name"], each["version"], each["type"]) for each in whole["components"]] == [
        ("msgspec", "1", "library"),
        ("shardgate", "2", "library"),
        ("cpython", "3.12.1", "platform"),
        ("libc6", "1:2.36-9+deb12u14", "library"),
    ]
    assert whole["components"][3]["purl"] == "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u14?arch=amd64"
    assert [each["ref"] for each in whole["dependencies"]] == ["image", "shardgate==2"]
    assert len(whole["dependencies"][0]["dependsOn"]) == 4
    assert [*problems(whole)] == []


def test_a_base_without_a_shell_has_a_file_for_each_package(tmp_path: Path) -> None:
    folder = tmp_path / "status.d"
    folder.mkdir()
    (folder / "base").write_text("Package: base-files\nArchitecture: amd64\nVersion: 12.4\n")
    (folder / "base.md5sums").write_text("0123  usr/share/x\n")
    assert [each["name"] for each in SBOM["debian"](tmp_path)] == ["base-files"]


def test_a_base_that_names_nothing_is_an_error_and_no_empty_list(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no package"):
        completed(tmp_path)


def test_what_a_list_lacks_is_found() -> None:
    assert [*problems({"components": []})] == [
        "it does not name shardgate",
        "it does not name msgspec",
        "it does not name cpython",
        "it names no package of Debian",
    ]


def test_the_image_is_built_with_its_list() -> None:
    dockerfile = (ROOT / "deploy/image/Dockerfile").read_text()
    assert "/opt/shardgate/shardgate.cdx.json" in dockerfile
    assert "COPY --from=base /var/lib/dpkg" in dockerfile


def test_the_pipeline_keeps_it() -> None:
    workflow = (ROOT / ".github/workflows/delivery.yml").read_text()
    assert "run: make image-sbom" in workflow
    assert "path: dist/shardgate-image.cdx.json" in workflow
