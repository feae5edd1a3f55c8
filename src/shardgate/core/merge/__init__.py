"""Makes one reply out of those of several shards: one merger a file.

A new one is a file here and a class in `AnyMerger`.
"""

from shardgate.core.merge.count import Count
from shardgate.core.merge.custom import CustomMerge
from shardgate.core.merge.deep import Deep
from shardgate.core.merge.entity import Entity
from shardgate.core.merge.first import First
from shardgate.core.merge.groups import Groups
from shardgate.core.merge.listed import Listed
from shardgate.core.merge.numbers import Numbers
from shardgate.core.merge.union import Union

AnyMerger = Count | CustomMerge | Deep | Entity | First | Groups | Listed | Numbers | Union
