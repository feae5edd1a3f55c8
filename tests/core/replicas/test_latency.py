"""How long a shard takes: the percentile against that of the samples themselves."""

import random

from shardgate.core.replicas.latency import Percentile, averaged


def test_the_percentile_is_within_a_fifth_of_that_of_the_samples() -> None:
    chance = random.Random(7)
    samples = [chance.lognormvariate(-5, 1) for _ in range(1000)]
    percentile = Percentile(95)
    for sample in samples:
        percentile.add(sample)
    exact = sorted(samples)[949]
    assert percentile.value_s is not None
    assert exact / 1.2 <= percentile.value_s <= exact * 1.2


def test_of_too_few_samples_nothing_is_said() -> None:
    percentile = Percentile(95)
    for _ in range(19):
        percentile.add(0.01)
    assert percentile.value_s is None


def test_what_was_long_ago_is_forgotten() -> None:
    percentile = Percentile(95)
    for _ in range(5000):
        percentile.add(1.0)
    for _ in range(8000):
        percentile.add(0.001)
    assert percentile.value_s is not None
    assert percentile.value_s < 0.002


def test_samples_of_any_size_are_counted() -> None:
    percentile = Percentile(95)
    for sample in [0.0, 1e-9, 1e9] * 20:
        percentile.add(sample)
    assert percentile.value_s is not None
    assert percentile.value_s > 40


def test_an_average_follows() -> None:
    average = averaged(0.0, 1.0)
    assert average == 1.0
    for _ in range(50):
        average = averaged(average, 2.0)
    assert 1.99 < average < 2.0
