"""A hostile shard: each bad way to answer, asked for by every kind of work."""

import asyncio
from collections import Counter

from proof.hostile.asking import Answer
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.bad_replies import BAD, SLOW, Made
from proof.hostile.doors import CHANGES, READS, Door
from proof.hostile.shards import Behaviour
from proof.hostile.stage import Stage

_QUICK_S = 1.0


def _by_every_door(behaviour: Behaviour, *, slow: bool) -> Attack:
    """Reads one after the other, so that the cost of each is seen; where each waits for a timeout, all at once.

    Changes wait for shards, and are sent together.
    """

    async def run(stage: Stage) -> Outcome:
        if isinstance(behaviour, Made):
            await asyncio.to_thread(behaviour.prepare)
        stage.hostile.behaviour = behaviour
        answers: dict[str, Answer] = {}
        for name, door in READS.items():
            answers[name] = answer = await door(stage)
            if answer.took_s > _QUICK_S:
                break
        left = {name: door for name, door in READS.items() if name not in answers}
        answers |= await _together(stage, left | CHANGES)
        if isinstance(behaviour, Made):
            behaviour.forget()
        return _told(answers)

    return Attack("", run, slow=slow)


async def _together(stage: Stage, doors: dict[str, Door]) -> dict[str, Answer]:
    return dict(zip(doors, await asyncio.gather(*(door(stage) for door in doors.values())), strict=True))


def _told(answers: dict[str, Answer]) -> Outcome:
    outcome = told(answers.values(), never=())
    words = Counter(answer.word for answer in answers.values())
    late = [name for name, answer in answers.items() if answer.ended == "silent"]
    findings = [f"not answered in time: {', '.join(late)}"] if late else []
    findings += [f"{name}: SG9001" for name, answer in answers.items() if b"SG9001" in answer.received]
    said = " ".join(f"{count}x{word}" for word, count in sorted(words.items()))
    return Outcome(said or outcome.said, tuple(findings))


REPLIES: dict[str, Attack] = {
    **{name: _by_every_door(behaviour, slow=False) for name, behaviour in BAD.items()},
    **{name: _by_every_door(behaviour, slow=True) for name, behaviour in SLOW.items()},
}
