"""A cursor that one client was given is no use to another."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clients.issuer import SECRET, Issuer, bearer
from tests.cluster import Asked, Gateway, reply

DIALECT = {"kind": "cursor", "limit_default": 2}
MERGE = {"kind": "list", "dialect": DIALECT, "keys": {"id": "text"}, "default_order": ["id"]}
ISSUER = Issuer(algorithm="HS256")


def app(ids: list[str]) -> Any:
    """An application with these rows, whose cursor is the last id."""

    def answer(asked: Asked) -> bytes:
        values = {name: said[0] for name, said in parse_qs(urlsplit(asked.line.split()[1]).query).items()}
        left = [each for each in ids if each > values.get("cursor", "")]
        page = left[: int(values.get("limit", 2))]
        following = page[-1] if len(left) > len(page) else None
        return reply(json.dumps({"items": [{"id": each} for each in page], "next_cursor": following}))

    return answer


async def started(start_shard: Any, start_gateway: Any, folder: Path, **more: Any) -> Gateway:
    for name in ("cursors.secret", "tokens.secret"):
        (folder / name).write_text(SECRET)
    urls = {}
    for name, ids in (("north", ["a", "c", "e"]), ("south", ["b", "d", "f"])):
        urls[name] = (await start_shard(app(ids))).url
    gateway: Gateway = await start_gateway(
        {
            "shards": urls,
            "cursors": {"secret_file": "cursors.secret", **more.pop("cursors", {})},
            "rules": {"GET /rows": {"rule": "gather", "merge": MERGE}},
            **more,
        }
    )
    return gateway


def verified(unverified: str = "refuse") -> dict[str, Any]:
    jwt = {"algorithms": ["HS256"], "key_file": "tokens.secret"}
    return {"clients": {"jwt": jwt, "unverified": unverified}}


def of(client: str, **claims: Any) -> dict[str, str]:
    return bearer(ISSUER.token(sub=client, **claims))


async def page(gateway: Gateway, headers: dict[str, str], cursor: str = "") -> tuple[int, Any]:
    answer = await gateway.client.get(f"/rows{'?cursor=' if cursor else ''}{cursor}", headers=headers)
    return answer.status_code, answer.json()


async def test_another_clients_cursor_is_refused_and_a_renewed_token_goes_on(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    gateway = await started(start_shard, start_gateway, tmp_path, **verified())
    status, first = await page(gateway, of("ann", jti="1"))
    assert (status, [row["id"] for row in first["items"]]) == (200, ["a", "b"])
    cursor = first["next_cursor"]
    status, problem = await page(gateway, of("bob"), cursor)
    assert (status, problem["code"]) == (400, "SG1015")
    status, second = await page(gateway, of("ann", jti="2"), cursor)
    assert (status, [row["id"] for row in second["items"]]) == (200, ["c", "d"])


async def test_a_client_without_a_token_has_cursors_of_nobody(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    gateway = await started(start_shard, start_gateway, tmp_path, **verified("pass"))
    nobodys = (await page(gateway, {}))[1]["next_cursor"]
    anns = (await page(gateway, of("ann")))[1]["next_cursor"]
    assert (await page(gateway, {}, nobodys))[0] == 200
    assert (await page(gateway, of("ann"), nobodys))[0] == 400
    assert (await page(gateway, {}, anns))[0] == 400
    assert (await page(gateway, bearer("forged"), anns))[0] == 400


async def test_a_header_can_say_who_the_client_is(start_shard: Any, start_gateway: Any, tmp_path: Path) -> None:
    gateway = await started(start_shard, start_gateway, tmp_path, cursors={"client": ["X-Api-Key"]})
    cursor = (await page(gateway, {"X-Api-Key": "1"}))[1]["next_cursor"]
    assert (await page(gateway, {"X-Api-Key": "1"}, cursor))[0] == 200
    assert (await page(gateway, {"X-Api-Key": "2"}, cursor))[0] == 400
    assert (await page(gateway, {}, cursor))[0] == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}])
async def test_where_no_client_is_known_a_cursor_is_for_anybody(
    start_shard: Any, start_gateway: Any, tmp_path: Path, headers: dict[str, str]
) -> None:
    gateway = await started(start_shard, start_gateway, tmp_path)
    cursor = (await page(gateway, headers))[1]["next_cursor"]
    assert (await page(gateway, {"Authorization": "Bearer y"}, cursor))[0] == 200
