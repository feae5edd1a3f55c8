"""The table of dialects, the ways in which applications page: a new one is a file here and a word in `AnyDialect`."""

from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages

AnyDialect = Envelope | Offset | Pages
