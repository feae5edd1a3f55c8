"""A rehearsal is as it must be, or says what is not."""

import msgspec
import pytest

from proof.rehearsal.report import mistakes, summary
from tools.delivery.deployment import Deployment
from tools.delivery.load import Told

CLIENTS = Told(requests=1000, failed=0, p90_ms=20, failures={}, acknowledged=["o"])
GOOD = {"b": True, "slow": False}


def deployment(version: str, kept: bool) -> Deployment:
    return Deployment(version=version, kept=kept, step="load", reason="why", found_s=1)


RIGHT = [deployment("b", kept=True), deployment("slow", kept=False)]


def found(
    deployments: list[Deployment] = RIGHT, clients: Told = CLIENTS, requests_min: float = 900, lost: int = 0
) -> list[str]:
    return mistakes(deployments, GOOD, clients, requests_min=requests_min, lost=lost)


def test_what_is_right_has_no_mistakes() -> None:
    assert found() == []
    assert summary(RIGHT, 0) == "rehearsal: 2 deployments, 1 kept, 1 rolled back, 0 failed requests"


@pytest.mark.parametrize(
    ("mistaken", "said"),
    [
        (found([deployment("b", kept=False), RIGHT[1]]), "b was rolled back"),
        (found([RIGHT[0], deployment("slow", kept=True)]), "slow was kept"),
        (found(RIGHT[:1]), "not deployed: slow"),
        (found(clients=msgspec.structs.replace(CLIENTS, failed=1)), "1 requests of clients failed: {}"),
        (found(requests_min=1001), "clients sent 1000 requests, 1001 are due"),
        (found(clients=msgspec.structs.replace(CLIENTS, acknowledged=[])), "no order was made, so none was looked for"),
        (found(lost=1), "1 of 1 orders that were confirmed are not there"),
    ],
)
def test_each_mistake_is_said(mistaken: list[str], said: str) -> None:
    assert mistaken == [said]
