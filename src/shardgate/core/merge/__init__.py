"""The table of mergers: a new one is a file here and a word in `AnyMerger`."""

from shardgate.core.merge.groups import Groups
from shardgate.core.merge.listed import Listed

AnyMerger = Groups | Listed
