"""The table of locators: a new one is a file here and a word in `AnyLocator`."""

from collections.abc import Iterable, Sequence

from shardgate.core.contracts import Locator
from shardgate.core.locate.compare import Compare, compared
from shardgate.core.locate.custom import CustomLocator
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe

AnyLocator = Directory | Hash | Learned | Prefix | Probe | CustomLocator


def comparisons(chains: Iterable[tuple[str, Sequence[Locator]]]) -> dict[str, Compare]:
    """How the keys of each space compare that are remembered, where it is not by their text."""
    return {
        space: locator.compare
        for space, chain in chains
        for locator in chain
        if isinstance(locator, Learned) and locator.compare != "text"
    }


def directory_comparisons(chains: Iterable[tuple[str, Sequence[Locator]]]) -> dict[str, frozenset[Compare]]:
    """How the keys of each space of the directory compare, where it is not by their text alone."""
    found: dict[str, frozenset[Compare]] = {}
    for name, chain in chains:
        for locator in chain:
            if isinstance(locator, Directory) and locator.compare != "text":
                space = locator.space or name
                found[space] = found.get(space, frozenset[Compare]()) | {locator.compare}
    return found


def equal_key(chain: Sequence[Locator], key: str) -> str:
    """The spelling of a key that replies show, as the first locator of the chain compares."""
    ways = [each.compare for each in chain if isinstance(each, Directory | Hash | Learned | Prefix | Probe)]
    return compared(key, next((way for way in ways if way != "text"), "text"))


def word_of(locator: Locator) -> str:
    """The name of a locator for people: the word of its kind, or the class of a plug-in."""
    return locator.named if isinstance(locator, CustomLocator) else type(locator).__name__.lower()
