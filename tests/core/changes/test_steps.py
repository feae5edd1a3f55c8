"""The state machine of a change, walked through by a world that answers as told."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from shardgate.core.changes.calls import outgoing
from shardgate.core.changes.entry import Action, Branch, Entry, Sent, Terms
from shardgate.core.changes.steps import Move, begin, give_up_doubted, moves, next_state, retry, take
from shardgate.core.errors import DeadlineError, LostReplyError, ShardDownError, ShardgateError
from shardgate.core.http import Reply

DOWN, LOST = ShardDownError("down"), LostReplyError("lost")
BUSY, GIVEN_UP = Reply(503, [(b"Retry-After", b"1")]), Reply(503, [])
UNDO = Action(method="DELETE", path="/things/{id}")
CONFIRM = Action(method="POST", path="/things/{id}/confirm")
Says = Callable[[Entry, Move], Reply | ShardgateError]


def entry(kind: str = "every", **terms: Any) -> Entry:
    given: dict[str, Any] = {
        "patient": False,
        "check": "/things/{id}",
        "repeat": False,
        "already": (409,),
        "undo": UNDO,
        "fresh": True,
    }
    sent = Sent("POST", b"/things", b"h", b"", b'{"id":"7"}', has_body=True, request_id=b"r")
    branches = [Branch("north"), Branch("south"), Branch("west")]
    return Entry("t", kind, "create", sent, Terms(**{**given, **terms}), {"id": "7"}, branches)


def one_pass(change: Entry, says: Says) -> list[tuple[str, str]]:
    """As the engine drives it; what was asked of whom."""
    resting: set[int] = set()
    asked = []
    while True:
        state = next_state(change, resting)
        if state != change.state:
            if state == "undoing":
                resting.clear()
            change.stuck_in = change.state
            change.state = state
            continue
        todo = moves(change, resting) if change.open else []
        if not todo:
            return asked
        for move in todo:
            branch = change.branches[move.branch]
            begin(change, branch, move.step)
            asked.append((branch.shard, move.step))
            if not take(change, move, says(change, move)):
                resting.add(move.branch)
        give_up_doubted(change)


def always(status: int) -> Says:
    return lambda change, move: Reply(status, [], b'{"id":"7"}')


def but(shard: str, what: Any, others: int = 201, step: str | None = None) -> Says:
    def says(change: Entry, move: Move) -> Any:
        if change.branches[move.branch].shard == shard and step in {None, move.step}:
            return what
        return Reply(others, [], b'{"id":"7"}')

    return says


def phases(change: Entry) -> list[str]:
    return [branch.phase for branch in change.branches]


def test_the_first_shard_judges_and_then_all_others_take_it() -> None:
    change = entry()
    assert one_pass(change, always(201)) == [("north", "do"), ("south", "do"), ("west", "do")]
    assert change.state == "done"


def test_what_the_first_refuses_nobody_else_hears_of() -> None:
    change = entry()
    assert one_pass(change, always(422)) == [("north", "do")]
    assert (change.state, phases(change)) == ("undone", ["refused", "waiting", "waiting"])


def test_what_a_later_one_refuses_is_taken_back_from_those_that_took_it() -> None:
    change = entry()
    asked = one_pass(change, but("south", Reply(409, [])))
    assert asked[3:] == [("north", "undo"), ("west", "undo")]
    assert (change.state, phases(change)) == ("undone", ["undone", "refused", "undone"])


def test_strict_takes_it_back_where_a_shard_is_down() -> None:
    change = entry()
    one_pass(change, but("west", DOWN))
    assert (change.state, phases(change)) == ("undone", ["undone", "undone", "waiting"])


def test_eventual_gives_it_later_to_a_shard_that_is_down_and_the_next_one_judges() -> None:
    change = entry(patient=True)
    assert one_pass(change, but("north", DOWN)) == [("north", "do"), ("south", "do"), ("west", "do")]
    assert (change.state, phases(change)) == ("finishing", ["waiting", "done", "done"])
    assert one_pass(change, always(201)) == [("north", "do")]
    assert change.state == "done"


def test_nothing_is_done_where_nobody_can_be_reached() -> None:
    change = entry(patient=True)
    one_pass(change, lambda *_: DOWN)
    assert (change.state, phases(change)) == ("undone", ["waiting"] * 3)


def test_a_lost_reply_is_looked_for_and_the_change_taken_back_if_it_was_made() -> None:
    change = entry()
    one_pass(change, but("west", LOST))
    assert (change.state, phases(change)) == ("undoing", ["undone", "undone", "sent"])
    assert one_pass(change, always(200)) == [("west", "check"), ("west", "undo")]
    assert change.state == "undone"


def test_a_lost_reply_of_a_change_that_was_not_made_needs_no_undo() -> None:
    change = entry()
    one_pass(change, but("west", LOST))
    assert one_pass(change, always(404)) == [("west", "check")]
    assert change.state == "undone"


@pytest.mark.parametrize("kind", ["every", "divide"])
def test_a_503_without_retry_after_is_looked_for_and_the_change_taken_back_if_it_was_made(kind: str) -> None:
    # Found by `make chaos`: it was taken for "nothing was done", and the change stayed on one shard.
    change = entry(kind)
    one_pass(change, but("south", GIVEN_UP))
    assert (change.state, phases(change)[:2]) == ("undoing", ["undone", "sent"])
    assert one_pass(change, always(200)) == [("south", "check"), ("south", "undo")]
    assert (change.state, phases(change)[1]) == ("undone", "undone")


@pytest.mark.parametrize("kind", ["every", "divide"])
@pytest.mark.parametrize("outcome", [BUSY, Reply(429, [])])
def test_an_application_that_is_busy_and_says_when_to_come_again_is_not_looked_at(kind: str, outcome: Reply) -> None:
    change = entry(kind)
    asked = one_pass(change, but("south", outcome))
    assert {step for shard, step in asked if shard == "south"} == {"do"}
    assert (change.state, phases(change)[:2]) == ("undone", ["undone", "waiting"])


def test_eventual_looks_for_what_was_answered_503_before_it_makes_it_again() -> None:
    # Found by `make chaos`: it was sent again as if for the first time, so that a change that was made got stuck.
    change = entry(patient=True)
    one_pass(change, but("west", GIVEN_UP))
    assert (change.state, phases(change)) == ("finishing", ["done", "done", "sent"])
    assert one_pass(change, always(200)) == [("west", "check")]
    assert change.state == "done"


def test_a_503_without_retry_after_to_what_may_be_repeated_is_repeated_as_one_that_may_have_been_made() -> None:
    change = entry(patient=True, check=None, repeat=True)
    one_pass(change, but("west", GIVEN_UP))
    assert one_pass(change, always(409)) == [("west", "do")]
    assert change.state == "done"


def test_a_busy_application_says_nothing_of_the_call_before() -> None:
    change = entry(patient=True, check=None, repeat=True)
    for outcome in (LOST, BUSY):
        one_pass(change, but("west", outcome))
        assert (change.state, phases(change)[2]) == ("finishing", "sent")
    one_pass(change, always(409))  # not stuck: the first call may have made it
    assert change.state == "done"


@pytest.mark.parametrize(("check", "state"), [("/things/{id}", "trying"), (None, "stuck")])
def test_a_new_tenant_that_was_answered_503_without_retry_after_is_looked_for(check: str | None, state: str) -> None:
    change = entry("place", undo=None, check=check)
    del change.branches[1:]
    one_pass(change, lambda *_: GIVEN_UP)
    assert change.state == state
    if check is not None:
        assert one_pass(change, always(200)) == [("north", "check")]
        assert change.state == "done"


def test_a_repeated_change_that_was_made_before_is_done() -> None:
    change = entry(patient=True, check=None, repeat=True)
    one_pass(change, but("west", LOST))
    assert change.state == "finishing"
    assert one_pass(change, always(409)) == [("west", "do")]
    assert change.state == "done"


def test_a_conflict_at_the_first_try_is_a_refusal() -> None:
    change = entry(patient=True)
    one_pass(change, but("north", DOWN))  # it never left: the next try is the first
    one_pass(change, but("north", Reply(409, [])))
    assert change.state == "stuck"


def test_what_a_shard_refuses_after_it_was_decided_waits_for_a_person() -> None:
    change = entry(patient=True)
    one_pass(change, but("west", DOWN))
    one_pass(change, always(401))
    assert (change.state, phases(change)) == ("stuck", ["done", "done", "stuck"])
    assert change.branches[2].problem == "the shard answered 401"
    retry(change)
    assert one_pass(change, always(404)) == [("west", "check"), ("west", "do")]
    retry(change)
    one_pass(change, but("west", Reply(200, []), step="check"))
    assert change.state == "done"


def test_a_saga_reserves_everywhere_then_confirms_everywhere() -> None:
    change = entry("divide", confirm=CONFIRM)
    asked = one_pass(change, always(201))
    assert [step for _, step in asked] == ["do"] * 3 + ["confirm"] * 3
    assert change.state == "done"


def test_a_saga_with_one_refusal_cancels_the_rest() -> None:
    change = entry("divide", confirm=CONFIRM)
    asked = one_pass(change, but("south", Reply(409, [])))
    assert asked == [("north", "do"), ("south", "do"), ("north", "undo")]
    assert change.state == "undone"


def test_a_new_tenant_whose_create_was_not_made_is_not_made_later() -> None:
    change = entry("place", undo=None)
    del change.branches[1:]
    one_pass(change, lambda *_: DeadlineError("late"))
    assert (change.state, phases(change)) == ("trying", ["sent"])
    assert one_pass(change, always(404)) == [("north", "check")]
    assert (change.state, phases(change)) == ("undone", ["refused"])


def test_a_new_tenant_that_nobody_can_look_for_waits_for_a_person() -> None:
    change = entry("place", undo=None, check=None)
    del change.branches[1:]
    one_pass(change, lambda *_: LOST)
    assert (change.state, phases(change)) == ("stuck", ["stuck"])


def test_what_was_there_before_is_not_taken_for_what_was_made() -> None:
    # Found by `make crash`: a conflict whose reply was lost was taken for a success, and undone: somebody else's thing.
    change = entry(fresh=False)

    def says(_: Entry, move: Move) -> Any:
        return (
            LOST
            if move.step == "do" and change.branches[0].tries == 1
            else Reply(409 if move.step == "do" else 200, [])
        )

    assert one_pass(change, says) == [("north", "look"), ("north", "do"), ("north", "check")]
    assert (change.state, phases(change)) == ("undone", ["undone", "waiting", "waiting"])


def test_a_repeated_change_that_is_refused_for_another_reason_is_refused() -> None:
    # Found by `make crash`: "sold out" after a lost "sold out" was taken for "you have it already".
    change = entry("divide", confirm=CONFIRM)
    for branch in change.branches[:2]:
        branch.phase = "done"
    change.branches[2].phase, change.branches[2].tries = "sent", 1

    def says(_: Entry, move: Move) -> Any:
        return {"do": Reply(409, []), "check": Reply(404, []), "undo": Reply(200, [])}[move.step]

    asked = one_pass(change, says)
    assert asked == [("west", "check"), ("west", "do"), ("west", "check"), ("north", "undo"), ("south", "undo")]
    assert change.state == "undone"


def test_what_is_undone_gets_back_what_was_before() -> None:
    undo = Action(method="PATCH", path="/things/{id}", restore="changed")
    change = entry(undo=undo, check=None, repeat=True)
    change.request = Sent("PATCH", b"/things/7?x=1", b"h", b"", b'{"name":"new"}', has_body=True, request_id=b"r")
    before = Reply(200, [], b'{"id":"7","name":"old","size":3}')

    def says(_: Entry, move: Move) -> Any:
        if move.step == "look":
            return before
        return Reply(409, []) if move == Move(1, "do") else Reply(200, [])

    assert one_pass(change, says)[:2] == [("north", "look"), ("north", "do")]
    assert change.state == "undone"
    sent = outgoing(change, Move(0, "undo"))
    assert sent is not None
    assert (sent.method, sent.target, sent.body) == (b"PATCH", b"/things/7", b'{"name":"old"}')
    assert getattr(outgoing(change, Move(0, "look")), "target", b"") == b"/things/7"
    change.variables = {}
    change.branches[0].reply = None
    assert outgoing(change, Move(0, "undo")) is None


class World:
    """Shards that hold a thing or not, lose replies, go down, and come back."""

    def __init__(self, chance: random.Random, kind: str) -> None:
        self.chance, self.kind = chance, kind
        self.held: dict[str, str] = {}
        self.effects: dict[str, int] = {}
        self.quiet = False

    def says(self, change: Entry, move: Move) -> Reply | ShardgateError:
        shard = change.branches[move.branch].shard
        roll = 1.0 if self.quiet else self.chance.random()
        if roll < 0.2:
            return DOWN if roll < 0.1 else BUSY
        reply = self._act(
            shard, move.step, refuse=0.2 <= roll < 0.25 and move.step == "do" and change.state == "trying"
        )
        if 0.25 <= roll < 0.45:
            return LOST if roll < 0.35 else GIVEN_UP
        return reply

    def _act(self, shard: str, step: str, *, refuse: bool) -> Reply:
        if step in {"look", "check"}:
            return Reply(200 if shard in self.held else 404, [], b'{"id":"7"}')
        if step == "do":
            if shard in self.held:
                return Reply(409, [])
            if refuse:
                return Reply(422, [])
            self.held[shard] = "held"
            self.effects[shard] = self.effects.get(shard, 0) + 1
            return Reply(201, [], b'{"id":"7"}')
        if shard not in self.held:
            return Reply(404, [])
        if step == "confirm":
            self.held[shard] = "sold"
        elif step == "undo":
            assert self.held.pop(shard) == "held"
        return Reply(200, [], b'{"id":"7"}')


@pytest.mark.parametrize("kind", ["strict", "eventual", "divide"])
@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("seed", range(60))
def test_however_it_fails_it_ends_the_same_everywhere_and_is_never_done_twice(
    kind: str, seed: int, fresh: bool
) -> None:
    world = World(random.Random(f"{kind}{seed}"), kind)
    change = entry(
        "divide" if kind == "divide" else "every",
        patient=kind == "eventual",
        fresh=fresh,
        confirm=CONFIRM if kind == "divide" else None,
    )
    for number in range(30):
        world.quiet = number > 20
        one_pass(change, world.says)
    assert change.state in {"done", "undone"}
    wanted = (
        {}
        if change.state == "undone"
        else dict.fromkeys(["north", "south", "west"], "sold" if kind == "divide" else "held")
    )
    assert world.held == wanted
    assert all(count == 1 for count in world.effects.values())


def test_what_is_wrong_with_a_change_is_said_of_each_shard() -> None:
    change = entry(patient=True)
    one_pass(change, but("west", DOWN))
    assert change.problems == {}
    one_pass(change, always(401))
    assert change.problems == {"west": "the shard answered 401"}
    change = entry(undo=None)
    one_pass(change, but("south", Reply(409, [])))
    assert (change.state, change.problems) == ("stuck", {"south": "the shard refused it with 409"})


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("check", ["/things/{id}", None])
@pytest.mark.parametrize("kind", ["every", "divide"])
def test_a_redirect_is_a_refusal_of_its_shard_and_the_others_are_undone(
    status: int, check: str | None, kind: str
) -> None:
    change = entry(kind, check=check, repeat=check is None)
    redirect = Reply(status, [(b"Location", b"/login")])
    one_pass(change, but("south", redirect))
    assert change.state == "undone"
    assert phases(change) == ["undone", "refused", "waiting" if kind == "divide" else "undone"]
    assert change.branches[1].reply == redirect


def test_a_redirect_to_a_change_that_was_made_counts_as_made_where_check_shows_it() -> None:
    change = entry()
    held = Reply(200, [], b'{"id":"7"}')

    def says(_: Entry, move: Move) -> Reply:
        return held if move.step == "check" else Reply(303, [(b"Location", b"/things/7")])

    assert one_pass(change, says)[:2] == [("north", "do"), ("north", "check")]
    assert (change.state, change.branches[0].reply) == ("done", held)


def test_a_304_to_a_change_says_nothing_and_is_asked_about() -> None:
    """No call of a change has a condition, so that the reply is broken (RFC 9110 section 15.4.5)."""
    change = entry()
    one_pass(change, but("south", Reply(304, [])))
    assert (change.state, phases(change)[1]) == ("undoing", "sent")
    one_pass(change, always(404))
    assert (change.state, [branch.reply for branch in change.branches][1]) == ("undone", None)


@pytest.mark.parametrize("step", ["confirm", "undo"])
def test_a_redirect_does_not_confirm_and_takes_nothing_back(step: str) -> None:
    refused = but("north", Reply(302, []), step=step)

    def says(change: Entry, move: Move) -> Any:
        return Reply(409, []) if step == "undo" and move == Move(1, "do") else refused(change, move)

    change = entry("divide", confirm=CONFIRM)
    one_pass(change, says)
    assert (change.state, change.problems.get("north")) == ("stuck", "the shard answered 302")
    listed = Action(method="POST", path="/things/{id}/confirm", already=(302,))
    change = entry("divide", confirm=listed, undo=listed)
    one_pass(change, says)
    assert change.state == ("done" if step == "confirm" else "undone")


def conditional(**terms: Any) -> Entry:
    change = entry(**{"check": None, "repeat": True, "undo": None, "patient": True, **terms})
    change.request = Sent(
        "PUT", b"/things/7", b"h", b"", b"{}", has_body=True, request_id=b"r", conditions=b'If-Match: "1"\r\n'
    )
    return change


def sent_conditions(change: Entry, move: Move) -> bytes:
    call = outgoing(change, move)
    assert call is not None
    return call.conditions


def test_the_shard_that_judges_alone_is_sent_the_condition() -> None:
    change, seen = conditional(), []

    def says(change: Entry, move: Move) -> Reply:
        seen.append(change.branches[move.branch].judges)
        return Reply(200, [], b"")

    assert sent_conditions(change, Move(0, "do")) == b'If-Match: "1"\r\n'
    one_pass(change, says)
    assert (seen, change.state) == ([True, False, False], "done")
    assert sent_conditions(change, Move(1, "do")) == b""
    refused = conditional()
    assert one_pass(refused, always(412)) == [("north", "do")]
    assert refused.state == "undone"


@pytest.mark.parametrize("terms", [{}, {"check": "/things/{id}", "fresh": True}, {"patient": False, "undo": UNDO}])
@pytest.mark.parametrize("outcome", [LOST, DeadlineError("late"), Reply(500, [], b""), GIVEN_UP])
def test_a_condition_whose_outcome_is_in_doubt_is_never_sent_again(terms: dict[str, Any], outcome: Any) -> None:
    # Sent again it would refuse a change that was made, and without it, make one that was refused.
    change = conditional(**terms)
    assert one_pass(change, lambda *_: outcome) == [("north", "do")]
    assert (change.state, change.branches[0].phase) == ("stuck", "stuck")
    retry(change)  # a person has looked, and wants it on all shards
    assert sent_conditions(change, Move(0, "do")) == b""


@pytest.mark.parametrize("outcome", [DOWN, BUSY, Reply(429, [])])
def test_a_condition_that_was_not_sent_is_sent_to_the_next_that_judges(outcome: Any) -> None:
    change = conditional()

    def says(change: Entry, move: Move) -> Any:
        return outcome if move.branch == 0 else Reply(200, [], b"")

    one_pass(change, says)
    assert [branch.judges for branch in change.branches] == [False, True, False]
    assert change.branches[1].phase == "done"


def test_a_condition_that_was_under_way_in_a_crash_is_stuck() -> None:
    change = conditional()
    begin(change, change.branches[0], "do")
    assert change.judge_is_in_doubt
    give_up_doubted(change)
    assert change.branches[0].phase == "stuck"
