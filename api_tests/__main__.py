"""Runs the tests against one address: `python -m api_tests --url https://…`.

What an earlier run that was killed has left at this address is taken away first.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import sync_playwright

from api_tests import environment, tokens, undoing
from api_tests.client import Api
from api_tests.conftest import DOCUMENT, FOLDER, MADE, MARK, URL
from api_tests.coverage import Coverage, covered, excuses_of
from api_tests.document import Document
from api_tests.outcome import SEEN, VERDICTS, Outcome, read

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORKERS = 4


def main() -> int:
    """Run, print what was found, and return 1 where a test failed or the document is not covered."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", required=True, help="where the API is: https://staging.example.com")
    options.add_argument("--document", type=Path, default=ROOT / "examples/bookings/openapi.json")
    options.add_argument("--into", type=Path, help="a folder for the report; default: one below .api-tests/")
    options.add_argument("--workers", type=int, default=WORKERS, help=f"processes of tests; default: {WORKERS}")
    options.add_argument("-k", dest="only", default="", help="only tests whose name has this")
    given = options.parse_args()
    url = given.url.rstrip("/")
    folder = given.into or ROOT / ".api-tests" / re.sub(r"\W+", "-", url.partition("://")[2])
    try:
        made_up = tokens.resolved(os.environ.get(tokens.CLIENTS, ""), url, folder / "tokens.json")
        os.environ |= {name: value for name, value in made_up.items() if name not in os.environ}
        known = environment.tokens()
    except (tokens.TokenError, environment.MissingTokenError) as error:
        print(f"api-tests: {error}", file=sys.stderr)
        return 2
    document = Document(json.loads(given.document.read_text()))
    _prepare(folder)
    _sweep(folder, url, document, known)
    mark = f"api-test-{secrets.token_hex(3)}"
    os.environ |= {URL: url, FOLDER: str(folder.resolve()), DOCUMENT: str(given.document.resolve()), MARK: mark}
    return _run(folder, document, given.workers, given.only)


def _prepare(folder: Path) -> None:
    (folder / MADE).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / SEEN, ignore_errors=True)
    (folder / VERDICTS).unlink(missing_ok=True)


def _sweep(folder: Path, url: str, document: Document, known: environment.Tokens) -> None:
    """Take away what is left of earlier runs."""
    files = sorted((folder / MADE).glob("*.jsonl"))
    left = list(undoing.left_over(files))
    if left:
        with sync_playwright() as playwright:
            context = playwright.request.new_context(base_url=url)

            def ask(operation: str, path: Any, body: Any, role: str) -> tuple[int, Any]:
                token = known.vendor if role == environment.VENDOR else known.whole
                api = Api(context, document, lambda *_: None, undoing.Ledger(Path(os.devnull)), role, token)
                reply = api.call(operation, body=body, **path)
                return reply.status, reply.body

            done = [undoing.take_away(thing, ask, file) for file, things in left for thing in things]
        print(f"api-tests: took away {sum(done)} of {len(done)} things that an earlier run had left", flush=True)
    for file in {*files} - {file for file, _ in undoing.left_over(files)}:
        file.unlink()


def _run(folder: Path, document: Document, workers: int, only: str) -> int:
    report = folder / "report.html"
    arguments = ["-c", str(HERE / "pytest.ini"), f"--rootdir={ROOT}", f"--html={report}", "--self-contained-html"]
    arguments += ["-n", str(workers), "--dist", "worksteal"] if workers > 1 else []
    code = pytest.main([*arguments, *(["-k", only] if only else []), "-r", "fEs", str(HERE)])
    if not (folder / VERDICTS).exists():
        return int(code) or 1
    found = read(folder)
    excuses = excuses_of(yaml.safe_load((HERE / "unprovokable.yaml").read_text()), document.documented())
    coverage = covered(document.documented(), found.seen, excuses)
    (folder / "coverage.txt").write_text(coverage.line() + "\n")
    print_outcome(found, coverage, folder, missing=not only)
    complete = coverage.whole or bool(only) or found.count("skipped") > 0
    return int(bool(code) or bool(coverage.mistakes) or not complete)


def print_outcome(found: Outcome, coverage: Coverage, folder: Path, *, missing: bool) -> None:
    """What was not seen, what was cleaned up, and the line that sums up."""
    for operation, status in coverage.missing if missing else ():
        print(f"not seen: {operation} {status}")
    for mistake in coverage.mistakes:
        print(f"wrong in unprovokable.yaml: {mistake}")
    for (operation, status), count in sorted(found.problems.items()):
        print(f"in a gateway's own words: {operation} {status}, {count} times")
    counts = dict(undoing.counted(sorted((folder / MADE).glob("*.jsonl"))))
    made = counts.pop("made", 0)
    ways = ", ".join(f"{count} {how}" for how, count in sorted(counts.items()))
    print(f"api-tests: {made} things created: {ways}, {made - sum(counts.values())} left")
    print(f"api-tests: report: {(folder / 'report.html')}")
    verdicts = ", ".join(f"{found.count(each)} {each}" for each in ("passed", "failed", "skipped"))
    print(f"api-tests: {len(found.verdicts)} tests ({verdicts}), {coverage.line()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
