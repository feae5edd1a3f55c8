"""Sends a request to the monolith and to the gateway, and says in what the replies differ."""

import json

import httpx
from traffic import Asked

# Written by each hop for itself.
_OF_THE_HOP = frozenset({"connection", "date", "keep-alive", "via"})
# Both are asked under one name, so that the links which json-server writes are the same.
_HOST = "libraries.example"


class Pair:
    """The monolith and the gateway, asked the same."""

    def __init__(self, monolith: str, gateway: str) -> None:
        headers = {"Host": _HOST, "Accept-Encoding": "identity"}
        self._monolith = httpx.Client(base_url=monolith, headers=headers, timeout=30, trust_env=False)
        self._gateway = httpx.Client(base_url=gateway, headers=headers, timeout=30, trust_env=False)

    def differences(self, asked: Asked) -> list[str]:
        """What differs between the two replies."""
        first, second = (_send(client, asked) for client in (self._monolith, self._gateway))
        found = []
        if first.status_code != second.status_code:
            found.append(f"status: {first.status_code} and {second.status_code}")
        ours, theirs = (_meaningful(reply, asked) for reply in (first, second))
        names = sorted({name for name, _ in ours.items() ^ theirs.items()})
        found += [f"{name}: {ours.get(name)!r} and {theirs.get(name)!r}" for name in names]
        if first.content != second.content:
            found.append(f"body: {_where(first.content, second.content)}")
        return found

    def differences_but_for_the_id(self, asked: Asked) -> list[str]:
        """Like `differences`, for a create whose id is drawn by chance: it is created, read, and deleted again."""
        seen = []
        for client in (self._monolith, self._gateway):
            created = _send(client, asked)
            identity = created.json()["id"]
            place = httpx.URL(created.headers["location"]).raw_path.decode()
            read = _send(client, Asked("detail", "GET", place))
            deleted = _send(client, Asked("delete", "DELETE", place))
            texts = [place, *(f"{reply.status_code} {reply.text}" for reply in (created, read, deleted))]
            seen.append([text.replace(identity, "<id>") for text in texts])
        return [f"{one} and {other}" for one, other in zip(*seen, strict=True) if one != other]

    def differences_but_for_the_place(self, asked: Asked) -> list[str]:
        """Like `differences`, for a list with a row whose place among equals json-server does not show."""
        first, second = (_send(client, asked) for client in (self._monolith, self._gateway))
        ours, theirs = (f"{reply.status_code} {sorted(map(str, reply.json()))}" for reply in (first, second))
        return [] if ours == theirs else [_where(ours.encode(), theirs.encode())]

    def refusal(self, asked: Asked) -> str:
        """The code with which the gateway refuses a request; empty where it does not."""
        reply = _send(self._gateway, asked)
        if reply.headers.get("content-type") != "application/problem+json":
            return ""
        return str(json.loads(reply.content)["code"])

    def close(self) -> None:
        """Close the connections."""
        self._monolith.close()
        self._gateway.close()


def _send(client: httpx.Client, asked: Asked) -> httpx.Response:
    return client.request(asked.method, asked.target, content=asked.body or None, headers=asked.headers)


def _meaningful(reply: httpx.Response, asked: Asked) -> dict[str, str]:
    # The validator of a merged list would have to be made of those of its parts; the gateway gives none.
    unmerged = {"etag"} if asked.merged else set()
    return {name: value for name, value in reply.headers.items() if name not in _OF_THE_HOP | unmerged}


def _where(first: bytes, second: bytes) -> str:
    pairs = enumerate(zip(first, second, strict=False))
    same = next((n for n, (one, other) in pairs if one != other), min(len(first), len(second)))
    start = max(same - 30, 0)
    return f"from byte {same}: {first[start : same + 50]!r} and {second[start : same + 50]!r}"
