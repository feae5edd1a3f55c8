"""Reads the schema of one resource from the TypeScript that was generated for it.

Above each getter is what the provider's schema says: `// name - computed: …, optional: …, required: …`.

Holds: a member that is not understood is an error, never left out.
Never: runs or imports what it reads.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tools.terraform import waf

Block = dict[str, Any]

# The code does not say which attributes are sensitive: the main ones, by name.
_SENSITIVE: Final = {"password", "master_password", "secret_string", "secret_binary", "auth_token", "private_key"}
_SCALARS: Final[dict[str, Any]] = {
    "string": "string",
    "number": "number",
    "boolean | cdktf.IResolvable": "bool",
    "string[]": ["list", "string"],
    "number[]": ["list", "number"],
    "{ [key: string]: string }": ["map", "string"],
    "any": "dynamic",
    "string[][] | cdktf.IResolvable": ["list", ["list", "string"]],
    "{ [key: string]: string }[] | cdktf.IResolvable": ["list", ["map", "string"]],
    "{ [key: string]: { [key: string]: string } } | cdktf.IResolvable": ["map", ["map", "string"]],
}
_GETTERS: Final[dict[str, Any]] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
}
_CLASS: Final = re.compile(r"^export class (\w+) extends cdktf\.\w+ \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_INTERFACE: Final = re.compile(r"^export interface (\w+)[^\n]* \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_MEMBER: Final = re.compile(
    r"^  // (\S+) - computed: (\w+), optional: (\w+), required: (\w+)\n"
    r"  (?:private \w+(?:\?: (.*?))?(?: = new ([\w.]+)\([^\n]*?(true|false)?\))?; ?\n  )?"
    r"public get \w+\(\) \{\n    return ([^\n]*);",
    re.MULTILINE,
)
_PROPERTY: Final = re.compile(r"  /\*\*\n((?:  \*[^\n]*\n)+)  \*/\n  readonly \w+(\??): ([^\n]*);", re.MULTILINE)
_HCL_BLOCK: Final = re.compile(r'isBlock: true,\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"')


class _Member(NamedTuple):
    """One getter of a class."""

    name: str
    computed: str
    optional: str
    required: str
    type: str
    """Its type in TypeScript, where the value is held as such."""
    holder: str
    """The class that holds the value, otherwise."""
    is_set: str
    getter: str

    @property
    def flags(self) -> str:
        """`r`, `o` and `c`, as far as they hold; `s`: sensitive, `w`: write-only."""
        words = (("r", self.required), ("o", self.optional), ("c", self.computed))
        write_only = self.name.endswith("_wo")
        flags = "".join(letter for letter, word in words if word == "true")
        return flags + ("s" if write_only or self.name in _SENSITIVE else "") + ("w" if write_only else "")


class Module:
    """The TypeScript of one resource, one data source, or of the provider."""

    def __init__(self, text: str) -> None:
        self._classes = dict(_CLASS.findall(text))
        self.interfaces = dict(_INTERFACE.findall(text))
        self._nesting = {storage: kind for kind, storage in _HCL_BLOCK.findall(text)}
        found = re.search(r'tfResourceType = "(\w+)"', text)
        self.type = found[1] if found else ""
        self._main = next((name for name, body in self._classes.items() if "tfResourceType" in body), "")

    def schema(self) -> Block:
        """The schema of the resource. Raises ValueError where the text is not understood."""
        return self._block(self._main, f"{self._main}Config")

    def of_provider(self, interface: str = "AwsProviderConfig") -> Block:
        """The schema of the provider, which has no getters: read from an interface alone."""
        attributes: Block = {}
        blocks: Block = {}
        for words, optional, kind in _PROPERTY.findall(self.interfaces[interface]):
            name = re.findall(r"#(\w+)\}", words)[0]
            base = "" if kind[0] == "{" else re.findall(r"\w+", kind)[0]
            if base in self.interfaces and name in re.findall(r"\* (\w+) block\n", words):
                blocks[name] = ["list", 0, 0, self.of_provider(base)]
            elif base in self.interfaces:
                item = {each: read[0] for each, read in self.of_provider(base)["attrs"].items()}
                attributes[name] = [["list", ["object", item]], "o"]
            elif name != "alias":  # Terraform's own
                attributes[name] = [_SCALARS[kind], "o" if optional else "r"]
        return {"attrs": attributes, "blocks": blocks}

    def _block(self, name: str, interface: str) -> Block:
        nested = set(re.findall(r"^  \* (\w+) block$", self.interfaces.get(interface, ""), re.MULTILINE))
        members = list(self._members(name))
        return {
            "attrs": {each.name: [self._type(each), each.flags] for each in members if each.name not in nested},
            "blocks": {each.name: self._nested(each) for each in members if each.name in nested},
        }

    def _members(self, name: str) -> Iterator[_Member]:
        body = self._classes[name]
        found = [_Member(*groups) for groups in _MEMBER.findall(body)]
        if len(found) != (wanted := body.count(" - computed: ")):
            raise ValueError(f"{name}: {len(found)} of {wanted} members understood")
        yield from found

    def _nested(self, member: _Member) -> list[Any]:
        """How often a block may be there, and what is in it."""
        least = int(member.required == "true")
        holder = member.holder
        if not holder:
            if member.name == "statement" and self.type.startswith("aws_wafv2_"):
                return ["list", least, 1, waf.statement(2)]
            raise ValueError(f"there is no schema of block {member.name}")
        if holder.endswith("Map"):
            raise ValueError(f"block {member.name} is a map of blocks")
        if holder.endswith("List"):
            base = holder.removesuffix("List")
            return [self._many(member), least, 0, self._block(f"{base}OutputReference", base)]
        base = holder.removesuffix("OutputReference")
        nesting = self._nesting.get(f"{base}List", "single")
        inner = self._block(f"{base}OutputReference", base)
        return [nesting, 0, 0, inner] if nesting == "single" else [nesting, least, 1, inner]

    def _type(self, member: _Member) -> Any:
        """The type of an attribute, as Terraform writes types in JSON."""
        if member.holder.startswith("cdktf."):
            return _GETTERS[member.holder.removeprefix("cdktf.")]
        if member.holder:
            base = re.sub("(List|OutputReference|Map)$", "", member.holder)
            item = ["object", {each.name: self._type(each) for each in self._members(f"{base}OutputReference")}]
            if member.holder.endswith("OutputReference"):
                return item
            return ["map" if member.holder.endswith("Map") else self._many(member), item]
        found = re.search(r"this\.get(\w+)Attribute\(", member.getter)
        kind = _GETTERS[found[1]] if found else _SCALARS[member.type or "any"]
        return ["set", kind[1]] if "Fn.tolist(" in member.getter else kind

    def _many(self, member: _Member) -> str:
        return "set" if member.is_set == "true" else "list"
