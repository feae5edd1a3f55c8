"""What the tests are given: the API for each kind of client, and things of their own that go when the test is over.

Where a variable of the environment is missing, the tests that need it are skipped, and the reason says which.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIRequestContext, sync_playwright

from api_tests import environment
from api_tests.client import Api
from api_tests.document import Document
from api_tests.making import Making
from api_tests.outcome import SEEN, VERDICTS
from api_tests.undoing import Ledger

URL, FOLDER, DOCUMENT, MARK = "API_URL", "API_FOLDER", "API_DOCUMENT", "API_MARK"
"""Set by `python -m api_tests`."""
MADE = "made"
"""The folder of the ledgers."""


SETTLED_AFTER = timedelta(minutes=10)
Settled = Callable[[str, str, int], list[str]]
"""The name of a list, its order, and how many → the first ids of rows that are there to stay."""


@dataclass
class Run:
    """One process of tests."""

    context: APIRequestContext
    document: Document
    tokens: environment.Tokens
    ledger: Ledger
    mark: str
    replies: Path
    test: str = ""

    def seen(self, operation: str, status: str, problem: bool) -> None:
        """Count a reply for the test that runs."""
        with self.replies.open("a") as file:
            file.write(json.dumps([self.test, operation, status, problem]) + "\n")

    def api(self, role: str, token: str | None) -> Api:
        """The API for a client."""
        return Api(self.context, self.document, self.seen, self.ledger, role, token)

    def undo(self, keep: int = 0) -> list[str]:
        """Take away what was created."""

        def ask(operation: str, path: Any, body: Any, role: str) -> tuple[int, Any]:
            token = self.tokens.vendor if role == environment.VENDOR else self.tokens.whole
            reply = self.api(role, token).call(operation, body=body, **path)
            return reply.status, reply.body

        return self.ledger.undo(ask, keep)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`operation` is each operation that documents the status of the test's mark, so that none is forgotten."""
    if (mark := metafunc.definition.get_closest_marker("each_operation")) is not None:
        document = Document(json.loads(Path(os.environ[DOCUMENT]).read_text()))
        metafunc.parametrize("operation", document.select(*mark.args, **mark.kwargs))


@pytest.fixture(scope="session")
def run(worker_id: str) -> Iterator[Run]:
    """The process of tests: one connection pool, one ledger."""
    folder = Path(os.environ[FOLDER])
    (folder / SEEN).mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        context = playwright.request.new_context(base_url=os.environ[URL])
        found = Run(
            context=context,
            document=Document(json.loads(Path(os.environ[DOCUMENT]).read_text())),
            tokens=environment.tokens(),
            ledger=Ledger(folder / MADE / f"{os.environ[MARK]}-{worker_id}.jsonl"),
            mark=f"{os.environ[MARK]}-{secrets.token_hex(2)}",
            replies=folder / SEEN / f"{worker_id}.jsonl",
        )
        yield found
        found.test = "at the end"
        failed = found.undo()
        context.dispose()
    assert not failed, "; ".join(failed)


@pytest.fixture(autouse=True)
def own_things(run: Run, request: pytest.FixtureRequest, vendor: str, category: str) -> Iterator[None]:
    """Takes away what a test creates; a vendor and a category of the process's own stay until its end."""
    run.test = request.node.nodeid
    keep = len(run.ledger)
    yield
    run.test = f"after {request.node.nodeid}"
    failed = run.undo(keep)
    assert not failed, "; ".join(failed)


@pytest.fixture(scope="session")
def shared(run: Run) -> Making:
    """Creates what lasts until the end of the process."""
    run.test = "at the start"
    return Making(run.api(environment.WHOLE, run.tokens.whole), run.mark)


@pytest.fixture(scope="session")
def vendor(shared: Making) -> str:
    """A vendor of this process: a vendor can be made inactive, and never be deleted."""
    return shared.new_vendor()


@pytest.fixture(scope="session")
def category(shared: Making) -> str:
    """A category that is there: an event with orders stays in its category, so that this could not be deleted."""
    there = shared.api.call("list_categories", query="limit=1&order=id").expect(200)
    return str(
        there[0]["id"] if there else shared.api.call("create_category", body=shared.category()).expect(201)["id"]
    )


@pytest.fixture(scope="session")
def settled(run: Run, shared: Making, vendor: str) -> Settled:
    """Rows of a list that were there long before this run: others come and go while the tests run."""
    born = shared.api.call("get_vendor", vendor_id=vendor).expect(200)["created_at"]
    before = (datetime.fromisoformat(born) - SETTLED_AFTER).strftime("%Y-%m-%dT%H:%M:%SZ")

    def ids(name: str, order: str, count: int) -> list[str]:
        rows = shared.api.call(f"list_{name}", query={"order": order, "limit": "300"}).expect(200)
        return [row["id"] for row in rows if row["created_at"] < before][:count]

    return ids


@pytest.fixture
def api(run: Run) -> Api:
    """The API for a marketplace, which sees all vendors."""
    return run.api(environment.WHOLE, run.tokens.whole)


@pytest.fixture
def nobody(run: Run) -> Api:
    """The API for somebody without a token."""
    return run.api("nobody", None)


@pytest.fixture
def vendor_api(run: Run) -> Api:
    """The API for a client of one vendor."""
    return run.api(environment.VENDOR, _needed(run.tokens.vendor, environment.VENDOR))


@pytest.fixture
def spent_api(run: Run) -> Api:
    """The API for a client that has called too often this month."""
    return run.api(environment.SPENT, _needed(run.tokens.spent, environment.SPENT))


@pytest.fixture
def own_vendor(run: Run) -> str:
    """The vendor of the client of one vendor."""
    claims = environment.claims_of(_needed(run.tokens.vendor, environment.VENDOR))
    return str(claims["vendor"])


@pytest.fixture
def making(api: Api, run: Run) -> Making:
    """Creates things that go when the test is over."""
    return Making(api, run.mark)


@pytest.fixture
def event(making: Making, vendor: str, category: str) -> str:
    """An event without dates."""
    return making.new_event(vendor, category)


@pytest.fixture
def date(making: Making, event: str) -> str:
    """A date with 20 seats."""
    return making.new_date(event)


def _needed(value: Any, name: str) -> Any:
    if value is None:
        pytest.skip(f"set {name}: {environment.MEANING[name]}")
    return value


_verdicts: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep how each test ended; what fails before or after it fails the test."""
    if report.failed:
        _verdicts[report.nodeid] = "failed"
    elif report.skipped:
        _verdicts.setdefault(report.nodeid, "skipped")
    elif report.when == "call":
        _verdicts.setdefault(report.nodeid, "passed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the verdicts, in the process that has those of all."""
    if not hasattr(session.config, "workerinput") and not session.config.option.collectonly:
        (Path(os.environ[FOLDER]) / VERDICTS).write_text(json.dumps(_verdicts, indent=1, sort_keys=True))


def pytest_html_report_title(report: Any) -> None:
    """The address is in the title of the report; tokens are nowhere."""
    report.title = f"API tests of {os.environ[URL]}"
