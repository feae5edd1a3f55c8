"""The table of locators: a new one is a file here and a word in `AnyLocator`."""

from shardgate.core.contracts import Locator
from shardgate.core.locate.custom import CustomLocator
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe

AnyLocator = Directory | Hash | Learned | Prefix | Probe | CustomLocator


def word_of(locator: Locator) -> str:
    """The name of a locator for people: the word of its kind, or the class of a plug-in."""
    return locator.named if isinstance(locator, CustomLocator) else type(locator).__name__.lower()
