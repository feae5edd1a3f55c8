"""Puts plug-ins where a configuration names them, before its rules are read (docs/howto/extend.md).

    {kind: custom, class: "package.module:Class", options: {…}}     a class of an installed module
    {kind: custom, class: "./file.py:Class", options: {…}}          a class in a file beside the configuration
    {kind: NAME, …}                                                 an entry point of an installed package

Holds: a plug-in that is put in has the methods of its kind, and was made from its options. What is wrong with it is a
mistake of the configuration, with its place and its cure, and the rest of the configuration is still checked.
Never: loads anything while requests are served.
"""

import re
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from shardgate.config.classes import ClassError, find_class, find_installed, installed_names
from shardgate.config.plugin_kinds import DIALECT, LOCATOR, MERGE, PluginKind, lacking
from shardgate.core.guard import PluginError, call
from shardgate.core.routes.mistakes import Mistake, near
from shardgate.core.rulebook.complaints import replaced, written
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Plain, Rulebook
from shardgate.core.rulebook.named import merges_of

_IN_GENERAL: Final = re.compile(r"docs/|; there are: ")
"""In a cure that knows only the built-ins' options."""


class CustomConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="custom"):
    """`kind: custom`: a class that is named by where it is."""

    class_: str = msgspec.field(name="class")
    """`package.module:Class`, or `./file.py:Class` beside the configuration."""
    options: Plain = {}
    """The fields of the class."""


def put_plugins(book: Rulebook, folder: Path, mistakes: list[Mistake]) -> None:
    """Replace each mapping that names a plug-in, in locators, dialects and rules that are served, by the plug-in.

    Paths of files begin at `folder`.
    """
    plugins = _Plugins(folder, mistakes)
    for name, chain in book.locators.items():
        place = book.places.get(f"locators.{name}", f"locators.{name}")
        if isinstance(chain, list):
            book.locators[name] = [plugins.put(each, LOCATOR, f"{place}[{n}]") for n, each in enumerate(chain)]
    for name, dialect in book.dialects.items():
        place = book.places.get(f"dialects.{name}", f"dialects.{name}")
        book.dialects[name] = plugins.put(dialect, DIALECT, place)
    for name, rule in book.rules.items():
        if name not in book.unserved and isinstance(rule, dict):
            book.rules[name] = _with_plugins(rule, plugins, book.places[name])


def _with_plugins(rule: Plain, plugins: "_Plugins", place: str) -> Plain:
    """A rule with the plug-ins that its merge and the dialect of its merge name."""
    for steps, merge in [*merges_of(rule)]:
        where = f"{place}{written(steps)}"
        if merge.get("kind") == "chosen":
            continue
        if merge.get("kind") != "custom" and "dialect" in merge:
            merge = {**merge, "dialect": plugins.put(merge["dialect"], DIALECT, f"{where}.dialect")}  # noqa: PLW2901
        rule = replaced(rule, steps, plugins.put(merge, MERGE, where))
    return rule


class _Plugins:
    """The plug-ins of one configuration."""

    def __init__(self, folder: Path, mistakes: list[Mistake]) -> None:
        self._folder = folder
        self._mistakes = mistakes
        self._files: dict[Path, ModuleType] = {}

    def put(self, written: Any, kind: PluginKind, place: str) -> Any:
        """The plug-in that is written there, as its strategy's plain data; where it is none, what is written."""
        word = written.get("kind") if isinstance(written, dict) else None
        if not isinstance(word, str) or (word != "custom" and word in kind.built_in):
            return written
        try:
            made = self._custom(written, kind, place) if word == "custom" else self._installed(written, kind, place)
        except ClassError as error:
            self._mistakes.append(Mistake(f"{place}.{'class' if word == 'custom' else 'kind'}", str(error), error.cure))
            made = None
        return kind.instead if made is None else made

    def _custom(self, written: Plain, kind: PluginKind, place: str) -> Plain | None:
        before = len(self._mistakes)
        config: CustomConfig | None = convert_all(written, CustomConfig, place, self._mistakes)
        if config is None or len(self._mistakes) > before:
            return None
        class_ = find_class(config.class_, self._folder, self._files)
        if (mistake := lacking(class_, config.class_, kind, f"{place}.class")) is not None:
            self._mistakes.append(mistake)
            return None
        return self._made(class_, config.class_, config.options, kind, f"{place}.options")

    def _installed(self, written: Plain, kind: PluginKind, place: str) -> Plain | None:
        word = written["kind"]
        if (found := find_installed(kind.group, word)) is None:
            return self._unknown(written, kind, place)
        named, class_ = found
        if (mistake := lacking(class_, named, kind, f"{place}.kind")) is not None:
            self._mistakes.append(mistake)
            return None
        options = {name: value for name, value in written.items() if name != "kind"}
        return self._made(class_, named, options, kind, place)

    def _unknown(self, written: Plain, kind: PluginKind, place: str) -> Plain | None:
        """A word that nothing has; where a built-in is meant, the rest is checked as for that."""
        word, names = written["kind"], installed_names(kind.group)
        wanted = near(word, [*kind.built_in, *names])
        asked = "take one of" if wanted is None else f"did you mean `{wanted}`? There are"
        cure = f"{asked}: {', '.join(kind.built_in)}; installed plug-ins: {', '.join(names) or 'none'}"
        self._mistakes.append(Mistake(f"{place}.kind", f"unknown word {word!r}", cure))
        return {**written, "kind": wanted} if wanted in kind.built_in and wanted != "custom" else None

    def _made(self, class_: type, named: str, options: Plain, kind: PluginKind, place: str) -> Plain | None:
        found: list[Mistake] = []
        fields = ", ".join(getattr(class_, "__struct_fields__", ()) or getattr(class_, "__dataclass_fields__", ()))
        cure = f"{named} takes: {fields or 'no options'}"
        try:
            plugin = convert_all(options, class_, place, found)
            if plugin is not None and not found:
                return {"kind": "custom", "named": named, "plugin": plugin, **_said(plugin, named, kind)}
        except (Exception, SystemExit) as error:
            # Annotations that cannot be read, what the class does when it is made, and what it says of itself.
            found = [Mistake(place, f"{named} cannot be made: {_reason(error)}", "correct the class")]
        self._mistakes += [Mistake(m.path, m.problem, cure if _IN_GENERAL.search(m.cure) else m.cure) for m in found]
        return None


def _said(plugin: Any, named: str, kind: PluginKind) -> Plain:
    """What the plug-in says of itself, once. Raises PluginError."""
    if kind is MERGE:
        summary = call(named, plugin, "describe")
        if not isinstance(summary, str):
            raise PluginError("describe does not return a text")
        return {"summary": summary}
    if kind is LOCATOR and hasattr(plugin, "pinned"):
        pins = call(named, plugin, "pinned")
        if isinstance(pins, str) or not all(isinstance(shard, str) for shard in pins):
            raise PluginError("pinned does not return names of shards")
        return {"pins": tuple(pins)}
    return {}


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
