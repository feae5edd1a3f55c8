"""Finds the class of a plug-in: in an installed module, in a file, or by the name of an entry point.

Holds: whatever a module does when it is imported, also when it ends the process, is a ClassError that says why.
A file is read anew each time that a configuration is read; an installed module is imported once a process.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


class ClassError(Exception):
    """There is no such class; the message says why, `cure` what to do."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(problem)
        self.cure = cure


def find_class(written: str, folder: Path, files: dict[Path, ModuleType]) -> type:
    """The class of `package.module:Class`, or of `./file.py:Class` in the folder. Raises ClassError.

    `files` are the modules of the files that were read for this configuration.
    """
    place, _, name = written.rpartition(":")
    if not place or not name:
        raise ClassError(f"{written!r} names no class", "write it as `package.module:Class` or `./file.py:Class`")
    if place.endswith(".py"):
        return _class_in(_file(folder / place, files), name, place)
    cure = "install the package beside the gateway, or set PYTHONPATH; a file beside this one is `./file.py:Class`"
    return _class_in(_import(lambda: import_module(place), f"{place} cannot be imported", cure), name, place)


def find_installed(group: str, name: str) -> tuple[str, type] | None:
    """What an installed package calls by this name in a group of entry points, and where it is; None: no package does.

    Raises ClassError.
    """
    points = [point for point in entry_points(group=group) if point.name == name]
    if not points:
        return None
    if len({point.value for point in points}) > 1:
        owners = " and ".join(sorted(f"{_package(point)} ({point.value})" for point in points))
        raise ClassError(f"{name!r} is a name in several packages: {owners}", "write `kind: custom` and its `class`")
    point = points[0]
    cure = f"correct the package {_package(point)}, or remove it"
    loaded = _import(point.load, f"{name!r} of the package {_package(point)} cannot be imported", cure)
    return point.value, _as_class(loaded, point.value, cure)


def installed_names(group: str) -> list[str]:
    """The names in a group of entry points."""
    return sorted({point.name for point in entry_points(group=group)})


def _file(path: Path, files: dict[Path, ModuleType]) -> ModuleType:
    path = path.resolve()
    if path not in files:
        if not path.is_file():
            raise ClassError(f"{path} does not exist", "correct the path: it begins at the folder of the configuration")
        files[path] = _import(lambda: _run(path), f"{path} cannot be loaded", "correct the file")
    return files[path]


class _Fresh(SourceFileLoader):
    """Compiles the file itself: a cached one may be older than the file by less than a second."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _run(path: Path) -> ModuleType:
    name = f"shardgate plug-in {path}"  # no module that can be imported has such a name
    spec: ModuleSpec | None = spec_from_loader(name, _Fresh(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and msgspec look there for the names in annotations
    spec.loader.exec_module(module)
    return module


def _import(load: Callable[[], Any], problem: str, cure: str) -> Any:
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise ClassError(f"{problem}: {type(error).__name__}: {error}", cure) from error


def _class_in(module: ModuleType, name: str, place: str) -> type:
    own = [cls for cls in vars(module).values() if isinstance(cls, type) and cls.__module__ == module.__name__]
    cure = f"it has: {', '.join(sorted(cls.__name__ for cls in own)) or 'no class of its own'}"
    if not hasattr(module, name):
        raise ClassError(f"{place} has no class {name!r}", cure)
    return _as_class(getattr(module, name), f"{place}:{name}", cure)


def _as_class(value: Any, named: str, cure: str) -> type:
    if not isinstance(value, type):
        raise ClassError(f"{named} is no class", cure)
    return value


def _package(point: EntryPoint) -> str:
    return "?" if point.dist is None else point.dist.name
