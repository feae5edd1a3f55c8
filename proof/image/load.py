"""Clients that ask a gateway without a pause, in threads of their own, and keep what failed.

Half of them keep their connection, the others open one for each request. Nothing is asked twice: a request that is not
answered with a 2xx has failed.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import httpx

from proof.asking import AskingThreads

CLIENTS = 4


class Load(AskingThreads):
    """Runs within its block; `answered` and `failed` can be read at any time."""

    def __init__(self, url: str, paths: Sequence[str], headers: Mapping[str, str], clients: int = CLIENTS) -> None:
        super().__init__(clients)
        self._url = url
        self._paths = paths
        self._headers = dict(headers)
        self._answered = [0] * clients
        self.failed: list[str] = []
        """What became of each request that failed."""

    @property
    def answered(self) -> int:
        """How many requests were answered with a 2xx."""
        return sum(self._answered)

    def _ask(self, number: int) -> None:
        limits = httpx.Limits(max_keepalive_connections=0 if number % 2 else 1)
        with httpx.Client(base_url=self._url, headers=self._headers, limits=limits, timeout=30) as client:
            for path in cycle(self._paths):
                if self._ended.is_set():
                    return
                try:
                    status = client.get(path).status_code
                except httpx.TransportError as error:
                    self.failed.append(f"GET {path}: {type(error).__name__}: {error}")
                    continue
                if 200 <= status < 300:
                    self._answered[number] += 1
                else:
                    self.failed.append(f"GET {path}: {status}")
