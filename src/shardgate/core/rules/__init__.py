"""The table of rules: a new kind is a file here and a word in `Rule`."""

from shardgate.core.rules.any_shard import AnyShard
from shardgate.core.rules.batch import Batch
from shardgate.core.rules.divide import Divide
from shardgate.core.rules.every import Every
from shardgate.core.rules.gather import Gather
from shardgate.core.rules.one import One
from shardgate.core.rules.place import Place

Rule = One | AnyShard | Gather | Every | Place | Divide | Batch
