"""How applications page, sort and count their lists: one dialect a file.

A new one is a file here and a class in `AnyOffsetDialect` (pages are found by number or offset) or `AnyCursor`.
"""

from shardgate.core.dialect.content_range import ContentRange
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.custom import CustomDialect
from shardgate.core.dialect.drf import Drf
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.hal import Hal
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.dialect.json_api import JsonApi
from shardgate.core.dialect.link_header import LinkHeader
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.dialect.search import Search
from shardgate.core.dialect.whole import Whole

AnyCursor = Cursor | IdCursor
AnyOffsetDialect = (
    ContentRange
    | CustomDialect
    | Drf
    | Envelope
    | Hal
    | JsonApi
    | LinkHeader
    | Ndjson
    | Offset
    | Pages
    | Search
    | Whole
)
AnyDialect = AnyOffsetDialect | AnyCursor
