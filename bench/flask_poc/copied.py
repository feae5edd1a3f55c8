"""PoC 1: Flask beside the platform. Lists and details come from its own copy of all the data (COPY, a SQLite file).

Never: changes anything; who changes something asks the platform, and `synchroniser.py` brings it here in a while.
"""

import os
from threading import local

from flask import Flask, Response, request

from bench.flask_poc.table import Table

LIMIT_DEFAULT = 100_000

app = Flask(__name__)
_here = local()


@app.get("/v3/events")
def events() -> Response:
    """A page of all events."""
    equal = {name: request.args[name] for name in ("city",) if name in request.args}
    limit, offset = int(request.args.get("limit", LIMIT_DEFAULT)), int(request.args.get("offset", 0))
    try:
        rows = _table().page(filter(None, request.args.get("order", "").split(",")), equal, limit, offset)
    except ValueError as error:
        return Response(f'{{"error": "{error}"}}', 400, content_type="application/json")
    answer = Response(f"[{','.join(rows)}]", content_type="application/json")
    if request.args.get("with_count") == "true":
        answer.headers["X-Total_Count"] = str(_table().count(equal))
    return answer


@app.get("/v3/events/<id_>")
def event(id_: str) -> Response:
    """One event."""
    row = _table().row(id_)
    if row is None:
        return Response('{"error": "there is no such event"}', 404, content_type="application/json")
    return Response(row, content_type="application/json")


def _table() -> Table:
    if not hasattr(_here, "table"):
        _here.table = Table(os.environ["COPY"])
    table: Table = _here.table
    return table
