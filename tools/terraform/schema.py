"""Writes the schema of the AWS provider, for the types that deploy/terraform uses, as the stand-in reads it.

The wheel `cdktf-cdktf-provider-aws` has one generated module for each resource and data source. Each ends with a source
map that has the TypeScript it was compiled from, and that names every argument with its type.

What is written: {"version", "provider": BLOCK, "resources": {type: BLOCK}, "data": {type: BLOCK}}, where
BLOCK = {"attrs": {name: [TYPE, FLAGS]}, "blocks": {name: [NESTING, MIN, MAX, BLOCK]}}. TYPE is Terraform's own JSON;
MAX 0 is no limit.
"""

import base64
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tools.terraform.layout import CODE
from tools.terraform.typescript import Module

_USED: Final = re.compile(r'^(resource|data) "aws_(\w+)"', re.MULTILINE)
_SOURCE_MAP: Final = re.compile(r"base64,([A-Za-z0-9+/=]+)\s*$")
_PROVIDER: Final = "provider"


class UnknownTypeError(Exception):
    """The code uses a type that the provider does not have."""


def used_types(code: Path = CODE) -> set[str]:
    """The types that the code uses, by the names of their folders in the wheel: `vpc`, `data-aws-region`."""
    texts = [file.read_text() for file in sorted(code.rglob("*.tf"))]
    found = [pair for text in texts for pair in _USED.findall(text)]
    return {("data-aws-" if kind == "data" else "") + name.replace("_", "-") for kind, name in found}


def schema(wheel: Path, types: set[str]) -> dict[str, Any]:
    """The schema of these types. Raises UnknownTypeError, or ValueError where the wheel is not understood."""
    out: dict[str, Any] = {"version": "", "provider": {}, "resources": {}, "data": {}}
    missing = {*types}
    for folder, module in _modules(wheel, types | {_PROVIDER}):
        missing.discard(folder)
        if folder == _PROVIDER:
            out["provider"] = module.of_provider()
            out["version"] = re.findall(r"/aws/([\d.]+)/docs", module.interfaces["AwsProviderConfig"])[0]
        else:
            out["data" if folder.startswith("data-aws-") else "resources"][module.type] = module.schema()
    if missing:
        raise UnknownTypeError(f"the provider has no {', '.join(sorted(missing))}")
    return out


def _modules(wheel: Path, wanted: set[str]) -> Iterator[tuple[str, Module]]:
    with zipfile.ZipFile(wheel) as outer:
        inner = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with outer.open(inner) as packed, tarfile.open(fileobj=packed, mode="r|gz") as tar:
            for entry in tar:
                found = re.fullmatch(r"package/lib/([\w-]+)/index\.js", entry.name)
                if found and found[1] in wanted and (file := tar.extractfile(entry)) is not None:
                    yield found[1], Module(_typescript(file.read().decode()))


def _typescript(javascript: str) -> str:
    found = _SOURCE_MAP.search(javascript)
    if found is None:
        raise ValueError("a module of the wheel has no source map")
    return str(json.loads(base64.b64decode(found[1]))["sourcesContent"][0])
