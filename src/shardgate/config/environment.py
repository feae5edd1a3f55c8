"""What the environment says of the configuration: `SHARDGATE_…` wins over the field of shardgate.yaml.

A variable `NAME` may be given as `NAME_FILE`, the path of a file with its value, as orchestrators mount secrets.

Holds: a variable that is wrong, unknown or empty is a mistake that names the variable.
Never: repeats the value of a variable, as it may be a secret.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shardgate.config.places import Document, parse_document
from shardgate.config.variables import (
    DATABASE_URL,
    OF_A_SERVICE,
    OF_THE_COMMAND_LINE,
    PREFIX,
    SHARD_URL,
    SHARDS,
    Variable,
    variables,
)
from shardgate.core.routes.mistakes import Mistake, near

_NAME: Final = re.compile(r"[\w.-]+")
# Sections that may be written as one text: the field that the text is.
_SHORT: Final = {"access_log": "to"}


def overridden(document: Document, environment: Mapping[str, str], mistakes: list[Mistake]) -> Document:
    """The document with what the environment says instead; what is wrong with a variable is added to the mistakes."""
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    if not given:
        return document
    values = _values(given, _named_by(document.data), mistakes)
    data = document.data
    places: dict[str, str] = {}
    for name, text in values.items():
        if (variable := variables().get(name)) is not None:
            data = _with_field(data, variable, text, places, mistakes)
    data = _with_shards(data, values, places, mistakes)
    return document.overridden(data, places, values)


def _values(given: Mapping[str, str], named: set[str], mistakes: list[Mistake]) -> dict[str, str]:
    """The variables that stand for fields, each with its text."""
    found: dict[str, str] = {}
    for name, text in sorted(given.items()):
        value: str | None
        if name in OF_THE_COMMAND_LINE or DATABASE_URL.fullmatch(name) or name in named:
            continue
        if _is_known(name):
            wanted, value = name, text
        elif name.endswith("_FILE") and _is_known(name.removesuffix("_FILE")):
            wanted, value = name.removesuffix("_FILE"), _of_file(name, text, mistakes)
        elif OF_A_SERVICE.fullmatch(name):
            continue
        else:
            mistakes.append(Mistake(name, "no field has this variable", _meant(name)))
            continue
        if value is None:
            continue
        if wanted in found:
            mistakes.append(Mistake(name, f"{wanted} is given, too", "keep one of the two"))
        elif not value.strip():
            mistakes.append(Mistake(name, "it is empty", "give it a value, or remove it"))
        else:
            found[wanted] = value
    return found


def _is_known(name: str) -> bool:
    return name in variables() or name == SHARDS or SHARD_URL.fullmatch(name) is not None


def _meant(name: str) -> str:
    known = [each.removeprefix(PREFIX) for each in (*variables(), SHARDS)]
    meant = near(name.removeprefix(PREFIX), known)
    cure = "remove it; docs/reference/environment.md lists all variables"
    return cure if meant is None else f"did you mean {PREFIX}{meant}?"


def _of_file(name: str, path: str, mistakes: list[Mistake]) -> str | None:
    try:
        return Path(path).read_text().strip()
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        mistakes.append(Mistake(name, f"the file cannot be read: {said}", "name a file that the gateway may read"))
        return None


def _named_by(data: Any) -> set[str]:
    """The variables that the configuration itself names: `key_env: SHARDGATE_JWT_KEY`."""
    found: set[str] = set()
    for section in (data, data.get("clients"), data.get("cursors"), data.get("otlp")):
        for part in (section, section.get("jwt")) if isinstance(section, dict) else ():
            if isinstance(part, dict):
                found |= {
                    value for name, value in part.items() if str(name).endswith("_env") and isinstance(value, str)
                }
    return found


def _with_field(
    data: dict[str, Any], variable: Variable, text: str, places: dict[str, str], mistakes: list[Mistake]
) -> dict[str, Any]:
    try:
        value = variable.read(text)
    except ValueError as error:
        mistakes.append(Mistake(variable.name, str(error), f"write it as `{'.'.join(variable.path)}` is written"))
        return data
    path = variable.path
    section = data.get(path[0])
    if len(path) == 1 and path[0] in _SHORT and isinstance(section, dict) and text != "off":
        path = (*path, _SHORT[path[0]])
    places[".".join(path)] = variable.name
    return _put(data, path, value)


def _put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The same data with another value; nothing of it is changed in place, as parts of it may stand in two places."""
    first, *rest = path
    if not rest:
        return {**data, first: value}
    section = data.get(first)
    if not isinstance(section, dict):
        section = {_SHORT[first]: section} if first in _SHORT and isinstance(section, str) else {}
    return {**data, first: _put(section, tuple(rest), value)}


def _with_shards(
    data: dict[str, Any], values: Mapping[str, str], places: dict[str, str], mistakes: list[Mistake]
) -> dict[str, Any]:
    """The same data with the addresses of shards that the environment gives."""
    written = data.get("shards")
    shards: dict[str, Any] = dict(written) if isinstance(written, dict) else {}
    if (text := values.get(SHARDS)) is not None:
        named = _listed(text, mistakes)
        if named is None:
            return data
        for left in [name for name in shards if name not in named]:
            problem = f"the configuration has the shard `{left}`, and this variable does not name it"
            mistakes.append(Mistake(SHARDS, problem, "name all shards in it, or remove that one from the file"))
        for name in named:
            places |= _places_of(name, shards.get(name), SHARDS)
        shards = {name: _merged(shards.get(name), where) for name, where in named.items()}
    for variable, url in values.items():
        if (match := SHARD_URL.fullmatch(variable)) is None:
            continue
        meant = [each for each in shards if _spelled(str(each)) == match[1]]
        if len(meant) != 1:
            problem = f"{' and '.join(map(str, meant))} are both meant" if meant else "no shard has this name"
            cure = f"there are: {', '.join(map(str, shards)) or 'none'}; {SHARDS} names all shards as they are written"
            mistakes.append(Mistake(variable, problem, cure))
            continue
        places |= _places_of(str(meant[0]), shards[meant[0]], variable)
        shards[meant[0]] = _merged(shards[meant[0]], _address(url))
    return {**data, "shards": shards} if shards else data


def _listed(text: str, mistakes: list[Mistake]) -> dict[str, Any] | None:
    """Name → address of SHARDGATE_SHARDS."""
    cure = (
        "write `north=http://10.0.0.1:8000,south=http://10.0.0.2:8000`, or a mapping: `{north: http://10.0.0.1:8000}`"
    )
    if text.lstrip().startswith("{"):
        document, wrong = parse_document(text, Path(SHARDS))
        if not wrong and document.data and all(isinstance(name, str) for name in document.data):
            return dict(document.data)
        mistakes.append(Mistake(SHARDS, "it begins like a mapping, and is none of shards, each once", cure))
        return None
    found: dict[str, Any] = {}
    for number, part in enumerate((each for each in text.split(",") if each.strip()), 1):
        name, equals, address = (piece.strip() for piece in part.partition("="))
        if not equals or not address or not _NAME.fullmatch(name):
            mistakes.append(Mistake(SHARDS, f"its part {number} is no `name=address`", cure))
            return None
        if name in found:
            mistakes.append(Mistake(SHARDS, f"it names `{name}` twice", "name each shard once"))
            return None
        found[name] = _address(address)
    return found or None


def _address(text: str) -> Any:
    """One address, or several with spaces between them: those of a shard's replicas."""
    addresses = text.split()
    return addresses[0] if len(addresses) == 1 else {"replicas": addresses}


def _places_of(name: str, written: Any, variable: str) -> dict[str, str]:
    """What of a shard is the variable's: all of it, or its addresses where the configuration has further fields."""
    whole = f"shards.{name}"
    if not isinstance(written, dict):
        return {whole: variable}
    return {f"{whole}$": variable, f"{whole}.url": variable, f"{whole}.replicas": variable}


def _merged(written: Any, given: Any) -> Any:
    """A shard with another address; its other fields stay as the configuration has them."""
    if not isinstance(written, dict):
        return given
    fields = given if isinstance(given, dict) else {"url": given}
    kept = {name: value for name, value in written.items() if name not in {"url", "replicas"}}
    return {**kept, **fields}


def _spelled(name: str) -> str:
    """A shard's name as variables have it."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())
