"""Asks the API by the names of its operations, and checks every reply against the document.

Holds: a reply with a status or a body that is not documented fails the test that asked, whatever the test looks at.
Every reply is counted for its test.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import APIRequestContext, APIResponse

from api_tests.document import Document, Operation
from api_tests.undoing import Ledger

TIMEOUT_MS = 30_000
Seen = Callable[[str, str, bool], None]
"""Is told of every reply: operation, status as the document names it, and whether it is a problem document."""
PROBLEM = "application/problem+json"
"""What a gateway answers in its own words (RFC 9457), also where the document knows another form."""


@dataclass(frozen=True)
class Reply:
    """A status, header fields in small letters, and the JSON body; None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any
    request: str

    @property
    def problem(self) -> bool:
        """Whether it is a problem document."""
        return self.headers.get("content-type", "").startswith(PROBLEM)

    def expect(self, *statuses: int) -> Any:
        """The body, if the reply has one of these statuses. Raises AssertionError."""
        assert self.status in statuses, f"{self.request}: {self.status}, not {statuses}: {self.body}"
        return self.body

    def refused(self, status: int, code: int | None = None) -> None:
        """The reply is a refusal with this status, and with this error code of the platform. Raises AssertionError.

        Without a code it may also be a gateway's own, a problem document.
        """
        body = self.expect(status)
        if self.problem and code is None:
            return
        assert body["error_code"] // 100 == status, f"{self.request}: {body}"
        assert code is None or body["error_code"] == code, f"{self.request}: {body}"
        assert body["error_description"], f"{self.request}: {body}"

    def refused_by_octo(self, *errors: str) -> None:
        """The reply is a refusal of the OCTO standard, with one of its words. Raises AssertionError."""
        body = self.expect(400)
        assert body["error"] in errors, f"{self.request}: {body}"
        assert body["errorMessage"], f"{self.request}: {body}"


class Api:
    """The API for one client of it."""

    def __init__(
        self, context: APIRequestContext, document: Document, seen: Seen, ledger: Ledger, role: str, token: str | None
    ) -> None:
        """`role`: the name under which the ledger knows the token; None as token: nobody."""
        self._context = context
        self._document = document
        self._seen = seen
        self._ledger = ledger
        self._role = role
        self._token = token

    def call(
        self,
        operation: str,
        *,
        query: Mapping[str, str] | str = "",
        body: Any = None,
        raw: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **path: str,
    ) -> Reply:
        """One request; `path` fills the holes of the path. Raises AssertionError where the reply is not as documented.

        `raw`: a body that need not be JSON.
        """
        asked = self._document.operations[operation]
        target = asked.address(path)
        response = self._send(asked.method, target, query, body if raw is None else raw, form, headers)
        status = str(response.status)
        reply = Reply(response.status, response.headers, _json(response), f"{asked.method} {target} {query or ''}")
        self._seen(operation, status if status in asked.statuses else "default", reply.problem)
        if reply.problem:
            mistakes = problem_mistakes(reply.status, reply.body)
        else:
            mistakes = self._document.mistakes(asked, reply.status, reply.body, partial="fields" in query)
        if not asked.documents(reply.status):
            mistakes.insert(0, f"status {reply.status} is not documented: {reply.body}")
        if created(asked, reply):
            self._ledger.note(operation, path, reply.body, self._role)
        assert not mistakes, f"{reply.request} → {reply.status}: {'; '.join(mistakes[:5])}"
        return reply

    def fetch(self, method: str, target: str, body: bytes | None = None) -> Reply:
        """A request that is no operation of the document, or not as it wants it; nothing is checked or counted."""
        response = self._send(method, target, "", body, None, None)
        return Reply(response.status, response.headers, _json(response), f"{method} {target}")

    def _send(
        self,
        method: str,
        target: str,
        query: Mapping[str, str] | str,
        body: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> APIResponse:
        fields = {"Accept": "application/json", **(headers or {})}
        if self._token is not None:
            fields["Authorization"] = f"Bearer {self._token}"
        data: bytes | None = None
        if isinstance(body, bytes):
            data, fields["Content-Type"] = body, "application/json"
        elif body is not None:
            data, fields["Content-Type"] = json.dumps(body).encode(), "application/json"
        if isinstance(query, str):
            target, parameters = (f"{target}?{query}" if query else target), None
        else:
            parameters = dict(query)
        return self._context.fetch(
            target,
            method=method,
            params=parameters,
            headers=fields,
            data=data,
            form=dict(form) if form is not None else None,
            timeout=TIMEOUT_MS,
            max_redirects=0,
        )


def created(operation: Operation, reply: Reply) -> bool:
    """Whether the reply says that something was made; OCTO says 200 to a reservation."""
    return operation.method == "POST" and (
        reply.status == 201 or (reply.status == 200 and operation.id == "octo_reserve_booking")
    )


def problem_mistakes(status: int, body: Any) -> list[str]:
    """What is wrong with a problem document (RFC 9457 section 3.1)."""
    if not isinstance(body, dict):
        return ["a problem document is an object"]
    kinds = {"type": str, "title": str, "status": int, "detail": str}
    wrong = [f"{name} is no {kind.__name__}" for name, kind in kinds.items() if not isinstance(body.get(name), kind)]
    return wrong if body.get("status") == status else [*wrong, f"status is {body.get('status')!r}, not {status}"]


def _json(response: APIResponse) -> Any:
    content = response.body()
    if not content:
        return None
    assert response.headers.get("content-type", "").startswith(("application/json", PROBLEM)), (
        f"{response.url} → {response.status}: no JSON: {content[:300]!r}"
    )
    return json.loads(content)
