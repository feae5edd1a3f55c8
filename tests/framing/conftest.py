"""One gateway and one recording shard for each module: cases follow each other on them, so that one could spoil the
next. Each ends with a request of another client, which must get its own answer."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.framing.wire import Wire, started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wire(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Wire]:
    """Start both, once for the module."""
    async with started(tmp_path_factory.mktemp("gateway")) as wire:
        yield wire
