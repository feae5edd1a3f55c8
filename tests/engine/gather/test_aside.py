"""Work on a thread beside the loop."""

import asyncio
import threading
from collections.abc import Generator

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.engine.gather.aside import Aside, to_the_end
from tests.waiting import one_turn


async def test_the_loop_goes_on_while_work_is_done_one_piece_at_a_time() -> None:
    aside, may_end, names = Aside(), threading.Event(), list[str]()

    def work() -> str:
        assert may_end.wait(30)
        names.append(threading.current_thread().name)
        return "done"

    running = [asyncio.ensure_future(aside.run(work)) for _ in range(3)]
    await one_turn()
    assert not any(each.done() for each in running)
    may_end.set()
    assert await asyncio.gather(*running) == ["done"] * 3
    assert len(set(names)) == 1


async def test_an_error_comes_back() -> None:
    def work() -> None:
        raise ValueError("why")

    with pytest.raises(ValueError, match="why"):
        await Aside().run(work)


async def test_what_a_refused_merge_held_is_freed_on_the_thread() -> None:
    """Found: two million rows of a broken reply were freed in the loop, which stood still for 60 ms."""
    freed = []

    class Rows:
        def __del__(self) -> None:
            freed.append(threading.current_thread().name)

    def cut(rows: Rows) -> None:
        try:
            raise ValueError(f"{rows} are bad")
        except ValueError as error:
            raise BrokenReplyError("bad rows") from error

    with pytest.raises(BrokenReplyError, match="bad rows"):
        await Aside().run(lambda: cut(Rows()))
    assert [name.partition("_")[0] for name in freed] == ["merge"]


def test_all_steps_are_taken() -> None:
    def steps() -> Generator[None, None, str]:
        yield
        yield
        return "end"

    assert to_the_end(steps()) == "end"
