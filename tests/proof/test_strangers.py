"""`make strangers`: a small selection of requests of applications of others; and how requests are judged."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from proof.strangers.application import Application
from proof.strangers.both import Both, Exchange, Kept, Nature
from proof.strangers.reply import Reply, difference, read
from proof.strangers.table import APPLICATIONS
from proof.strangers.verdict import Verdict, lines, written

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 280  # below the timeout of pytest, so that what was started is ended
QUICK = ("json-server", "drf")


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", QUICK)
def test_an_application_of_others_answers_through_the_gateway_as_one(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "proof.strangers", "--quick", "--only", name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            output, _ = process.communicate()
    last = output.splitlines()[-1]
    if "SKIPPED" in last:
        with capsys.disabled():
            print(f"\n{output}")
        pytest.skip(last)
    assert (process.returncode, "1 applications, " in last, last.endswith(" 0 other")) == (0, True, True), output


def test_each_application_is_an_example_with_a_readme() -> None:
    for application in APPLICATIONS:
        assert (ROOT / "examples" / application.name / "README.md").is_file(), application.name
        assert set(application().shards), application.name


def a_reply(body: str, status: int = 200, **headers: str) -> Reply:
    return read(httpx.Response(status, text=body, headers=headers))


def test_what_matters_of_two_replies_is_compared() -> None:
    one = a_reply("[1]", etag='"a"', vary="Accept", date="x", via="1.1 g")
    assert difference(a_reply("[1]", etag='W/"b"', vary="Accept"), one) is None
    assert "body at byte 1" in str(difference(a_reply("[2]", etag='"b"', vary="Accept"), one))
    assert "headers" in str(difference(a_reply("[1]", vary="Accept"), one))
    assert "headers" in str(difference(a_reply("[1]", etag='"b"'), one))
    assert "status 404" in str(difference(a_reply("[1]", 404, etag='"b"', vary="Accept"), one))


class Sides:
    """Two servers: each answers what its list says next."""

    def __init__(self, theirs: list[str], ours: list[str]) -> None:
        self.asked: tuple[list[str], list[str]] = ([], [])
        clients = [
            httpx.Client(base_url="http://side", transport=httpx.MockTransport(self._answer(side, texts)))
            for side, texts in enumerate((theirs, ours))
        ]
        self.both = Both(*clients)

    def _answer(self, side: int, texts: list[str]):  # type: ignore[no-untyped-def]
        def answer(request: httpx.Request) -> httpx.Response:
            self.asked[side].append(request.url.raw_path.decode() + request.content.decode())
            return httpx.Response(200, text=texts[len(self.asked[side]) - 1])

        return answer


CHANCE = Nature("It is drawn by chance.")


def test_each_side_is_asked_for_its_own_value_and_the_reason_is_named() -> None:
    sides = Sides(['{"id":"aa","n":1}', '["aa"]', '["aa"]'], ['{"id":"bb","n":1}', '["bb"]', '["cc"]'])
    made = sides.both.ask("create", "POST", "/rows", body={"n": 1}, keep={"row": Kept("body.id", CHANCE)})
    read_back = sides.both.ask("item", "GET", "/rows/@{row}?x=@{row}")
    wrong = sides.both.ask("item", "GET", "/rows/@{row}")
    assert sides.asked[0] == ['/rows{"n":1}', "/rows/aa?x=aa", "/rows/aa"]
    assert sides.asked[1] == ['/rows{"n":1}', "/rows/bb?x=bb", "/rows/bb"]
    assert [each.natural for each in (made, read_back, wrong)] == [CHANCE.reason, CHANCE.reason, None]
    assert wrong.other is not None


def test_a_reason_with_a_normal_form_covers_nothing_else() -> None:
    ties = Nature("Ties.", normal=lambda reply: sorted(reply.body))
    sides = Sides(["[12]", "[12]"], ["[21]", "[22]"])
    swapped, changed = (sides.both.ask("list", "GET", "/rows", unlike=[ties]) for _ in range(2))
    assert (swapped.natural, swapped.other) == ("Ties.", None)
    assert changed.other is not None


def an_exchange(natural: str | None = None, other: str | None = None) -> Exchange:
    reply = a_reply("[]")
    return Exchange("list", "GET", "/rows", reply, reply, natural, other)


def test_the_last_line_says_what_was_skipped_and_what_is_too_little_is_broken() -> None:
    ran = Verdict("one", "One 1.0", [*[an_exchange()] * 150, *[an_exchange("chance")] * 4, an_exchange()])
    skipped = Verdict("two", "Two", (), skipped="Java is not on this machine")
    assert (
        lines([ran, skipped])[-1]
        == "strangers: 1 applications, 155 requests, 151 equal, 4 by nature, 0 other; SKIPPED: two"
    )
    assert ran.broken(quick=False) == []
    assert Verdict("few", "", [an_exchange()]).broken(quick=False) == ["1 requests, fewer than 150"]
    assert Verdict("odd", "", [an_exchange("chance")] * 9 + [an_exchange()] * 200).broken(quick=False) != []
    assert Verdict("bad", "", [an_exchange(other="body")]).broken(quick=True) == ["1 differences"]
    assert Verdict("dead", "", (), failed="no answer").broken(quick=True) == ["it came to no end: no answer"]
    assert "## By nature: chance\n\n- GET /rows" in written(ran)


def test_an_application_has_a_name_of_its_own() -> None:
    assert len({application.name for application in APPLICATIONS}) == len(APPLICATIONS)
    assert all(issubclass(application, Application) for application in APPLICATIONS)
