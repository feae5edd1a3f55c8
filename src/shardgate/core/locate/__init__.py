"""The table of locators: a new one is a file here and a word in `AnyLocator`."""

from shardgate.core.locate.custom import CustomLocator
from shardgate.core.locate.directory import Directory
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.learned import Learned
from shardgate.core.locate.prefix import Prefix
from shardgate.core.locate.probe import Probe

AnyLocator = Directory | Hash | Learned | Prefix | Probe | CustomLocator
