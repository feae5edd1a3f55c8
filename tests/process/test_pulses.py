"""The beats of workers are seen in another process."""

import os

from shardgate.process.pulses import Pulses


def test_a_beat_is_seen_in_another_process_and_each_worker_has_its_own() -> None:
    pulses = Pulses(3)
    assert list(pulses.beats()) == [0.0, 0.0, 0.0]
    if (pid := os.fork()) == 0:
        pulses.beat(1, 12.25)
        os._exit(0)
    os.waitpid(pid, 0)
    pulses.beat(2, 7.5)
    assert list(pulses.beats()) == [0.0, 12.25, 7.5]
