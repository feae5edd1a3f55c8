"""Method override: a POST that names another method, in its query or a header, is served as that method or refused."""

from typing import Any

import pytest

from tests.cluster import reply
from tests.waiting import one_turn

RULES: dict[str, Any] = {
    "store": "store.db",
    "method_override": "method",
    "locators": {"thing": [{"kind": "hash"}]},
    "rules": {
        "POST /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "PATCH /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing", "idempotency": {"required": True}},
        "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
    },
}
CONFIGURED = {**RULES, "method_override_header": "X-HTTP-Method-Override"}


@pytest.fixture
async def shard(start_shard: Any) -> Any:
    return await start_shard(lambda asked: reply("{}"))


async def post(gateway: Any, url: str = "/things/1", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.client.post(url, json={}, headers=named)


async def test_a_header_makes_it_the_method_that_it_names(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    answer = await post(gateway, X_HTTP_Method_Override="patch")
    assert answer.json()["code"] == "SG1021"  # the PATCH's rule wants a key
    answer = await post(gateway, X_HTTP_Method_Override="PATCH", Idempotency_Key="a")
    assert answer.status_code == 200
    assert shard.asked[0].line == "POST /things/1 HTTP/1.1"
    assert shard.asked[0].field("x-http-method-override") == ["PATCH"]


async def test_the_query_does_the_same_and_both_must_agree(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    assert (await post(gateway, "/things/1?method=PATCH")).json()["code"] == "SG1021"
    answer = await post(gateway, "/things/1?method=PATCH", X_HTTP_Method_Override="DELETE")
    assert answer.json()["code"] == "SG1019"


@pytest.mark.parametrize("query", ["method=PATCH&method=POST", "Method=PATCH", "method[]=PATCH", "a=1;method=PATCH"])
async def test_another_spelling_of_the_parameter_is_refused(shard: Any, start_gateway: Any, query: str) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    answer = await post(gateway, f"/things/1?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1002")
    assert shard.asked == []


@pytest.mark.parametrize("name", ["X_HTTP_Method_Override", "X_HTTP_Method", "X_Method_Override"])
async def test_where_it_is_not_configured_it_is_refused(shard: Any, start_gateway: Any, name: str) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **RULES})
    answer = await post(gateway, **{name: "DELETE"})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1019")
    assert (await post(gateway, **{name: "POST"})).status_code == 200
    assert len(shard.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        [("X_HTTP_Method_Override", "PATCH")],
        [("X-HTTP-Method-Override", "PATCH"), ("X-HTTP-Method-Override", "PATCH")],
        [("X-HTTP-Method-Override", "PATCH"), ("X-Method-Override", "DELETE")],
        [("X-HTTP-Method-Override", "TRACE")],
        [("X-HTTP-Method-Override", "PATCH"), ("Connection", "X-HTTP-Method-Override")],
    ],
)
async def test_what_two_servers_could_read_differently_is_refused(
    shard: Any, start_gateway: Any, headers: list[tuple[str, str]]
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    answer = await gateway.client.post("/things/1", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1019")
    assert shard.asked == []


async def test_a_get_is_no_other_method(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    answer = await gateway.get("/things/1", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.json()["code"] == "SG1019"


async def test_heads_that_differ_in_the_method_alone_are_not_mixed_up(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    for number, method in enumerate(["POST", "PATCH", "POST", "DELETE"]):
        answer = await post(gateway, X_HTTP_Method_Override=method, Traceparent=f"00-{number}")
        assert (answer.status_code, answer.json().get("code")) == {
            "POST": (200, None),
            "PATCH": (400, "SG1021"),
            "DELETE": (405, "SG1005"),
        }[method]


async def test_the_application_may_ignore_the_header(shard: Any, start_gateway: Any) -> None:
    # R10: such an application takes the POST for a POST, and so does the gateway.
    gateway = await start_gateway({"shards": {"north": shard.url}, **RULES, "method_override_header": "ignored"})
    answer = await post(gateway, X_HTTP_Method_Override="PATCH")
    assert answer.status_code == 200  # the PATCH's rule would want a key
    assert shard.asked[0].field("x-http-method-override") == ["PATCH"]


MEMBER: dict[str, Any] = {
    "method_override_member": "_method",
    "locators": {"thing": [{"kind": "hash"}]},
    "rules": {
        "POST /things": {"rule": "any"},
        "GET /things": {"rule": "gather", "merge": {"kind": "union"}},
        "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "DELETE /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
    },
}


@pytest.mark.parametrize("method", ["DELETE", "delete", "GET"])
async def test_a_member_of_the_body_names_the_method(shard: Any, start_gateway: Any, method: str) -> None:
    # R10: an SDK's way of asking: everything is a POST.
    gateway = await start_gateway({"shards": {"north": shard.url}, **MEMBER})

    async def pieces() -> Any:
        yield b'{"_method": "'
        yield method.encode() + b'"}'

    for sent in (
        {"json": {"_method": method}},
        {"data": {"_method": method}},
        {"content": pieces(), "headers": {"Content-Type": "application/json"}},
    ):
        answer = await gateway.client.post("/things/1", **sent)
        assert answer.status_code == 200, answer.text
    assert [asked.line for asked in shard.asked] == ["POST /things/1 HTTP/1.1"] * 3
    assert (await gateway.client.post("/things/1", json={"a": 1})).status_code == 405
    assert (await gateway.client.post("/things", json={"a": 1})).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"_method": "GET", "where": {}}, "SG1019"),
        ({"_METHOD": "DELETE"}, "SG1002"),
        ({"_method": "GET", "_Method": "DELETE"}, "SG1002"),
    ],
)
async def test_a_list_by_a_member_and_another_spelling_are_refused(
    shard: Any, start_gateway: Any, body: object, code: str
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **MEMBER})
    answer = await gateway.client.post("/things", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert shard.asked == []


async def test_a_body_that_nobody_reads_names_no_method(shard: Any, start_gateway: Any) -> None:
    # Found: Parse refuses a broken body in its own words; the gateway refused it first, since it looked for `_method`.
    gateway = await start_gateway({"shards": {"north": shard.url}, **MEMBER})
    json_type = {"Content-Type": "application/json"}
    assert (await gateway.client.post("/things", content=b"{", headers=json_type)).status_code == 200
    assert [asked.line for asked in shard.asked] == ["POST /things HTTP/1.1"]
    lenient = await gateway.client.post("/things", content=b"{_method: 'DELETE'}", headers=json_type)
    assert (lenient.status_code, lenient.json()["code"]) == (400, "SG1002")


BY_QUERY: dict[str, Any] = {
    "method_override": "_method",
    **{n: v for n, v in MEMBER.items() if n != "method_override_member"},
}


@pytest.mark.parametrize("method", ["GET", "get", "HEAD", "OPTIONS", "TRACE"])
async def test_a_list_that_the_query_asks_for_is_refused(shard: Any, start_gateway: Any, method: str) -> None:
    # Found: `POST /things?_method=GET` was served by the rule of the POST: 200 with the rows of one shard.
    gateway = await start_gateway({"shards": {"north": shard.url}, **BY_QUERY})
    answer = await gateway.client.post(f"/things?_method={method}")
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1019")
    assert f"the parameter `_method` {'asks for a list' if method.upper() == 'GET' else 'names'}" in answer.text
    assert shard.asked == []


async def test_the_query_may_name_get_where_one_shard_answers(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **BY_QUERY})
    assert (await gateway.client.post("/things/1?_method=GET")).status_code == 200
    assert (await gateway.client.post("/things/1?_method=card")).status_code == 405, "it is a POST, which has no rule"
    assert (await gateway.client.post("/things?_method=")).status_code == 200


async def test_a_form_with_files_names_the_method(shard: Any, start_gateway: Any) -> None:
    # Found: Laravel and Rails put `_method` into a form with files; it was served by the rule of the POST.
    gateway = await start_gateway({"shards": {"north": shard.url}, **MEMBER})
    files = {"photo": ("a.png", b"\x00\xff\r\n--", "image/png")}
    sent = {"data": {"_method": "delete", "name": "x"}, "files": files}
    assert (await gateway.client.post("/things/1", **sent)).status_code == 200
    assert [asked.line for asked in shard.asked] == ["POST /things/1 HTTP/1.1"]
    assert (await gateway.client.post("/things/1", files=files)).status_code == 405
    twice = await gateway.client.post("/things/1", data={"_method": ["delete", "put"]}, files=files)
    assert (twice.status_code, twice.json()["code"]) == (400, "SG1002")


async def test_a_header_that_stands_twice_is_refused_in_its_own_words(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **CONFIGURED})
    twice = [("X-HTTP-Method-Override", "PUT"), ("X-HTTP-Method-Override", "DELETE")]
    answer = await gateway.client.post("/things/1", json={}, headers=twice)
    assert "several header fields name a method" in answer.json()["detail"]


UNSAID: dict[str, Any] = {
    "locators": {"thing": [{"kind": "hash"}]},
    "rules": {
        "POST /things": {"rule": "one", "key": ["body.vendor", "form.vendor"], "locate": "thing"},
        "GET /things": {"rule": "gather", "merge": {"kind": "union"}},
        "POST /notes": {"rule": "any"},
        "DELETE /notes": {"rule": "every", "mode": "eventual"},
        "POST /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "PUT /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing", "not_here": [410]},
        "GET /texts": {"rule": "gather", "merge": {"kind": "union"}},
        "ANY /**": {"rule": "any"},
    },
    "store": "store.db",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


def multipart(method: str) -> bytes:
    head = 'Content-Disposition: form-data; name="_method"'
    return f"--b\r\n{head}\r\n\r\n{method}\r\n--b--\r\n".encode()


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        ("/things?_method=GET", b'{"vendor":"v"}', {}),
        ("/things?%5Fmethod=get&vendor=v", b'{"vendor":"v"}', {}),
        ("/things", b'{"vendor":"v","_method":"GET"}', {}),
        ("/things", b'{"_method": "get", "vendor":"v"}', {"Content-Type": "text/plain"}),
        ("/things", b"vendor=v&_method=GET", FORM),
        ("/things", b"%5Fmethod=HEAD&vendor=v", FORM),
        ("/things?_%6Dethod=GET&vendor=v", b'{"vendor":"v"}', {}),
        ("/things?%5f%6d%65%74%68%6f%64=GET", b'{"vendor":"v"}', {}),
        ("/things", b"_%6dethod=GET&vendor=v", FORM),
        ("/things", b"%5Fm%65thod=GET&vendor=v", FORM),
        ("/things", b'{"_\\u006dethod":"GET","vendor":"v"}', {}),
        ("/things", b'{"\\u005Fm\\u0065thod":"GET","vendor":"v"}', {}),
        ("/notes", b"_method=delete", FORM),  # sent on as it comes
        ("/notes", b'{"_method":"DELETE"}', {"Content-Type": "application/vnd.api+json"}),
        ("/notes", b'--b\r\nContent-Disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--b--\r\n',
         {"Content-Type": "multipart/form-data; boundary=b"}),
        ("/texts", b"_method=GET", FORM),  # a subtree's
    ],
)  # fmt: skip
async def test_r10_a_method_that_nobody_expects_is_refused(
    shard: Any, start_gateway: Any, target: str, body: bytes, headers: dict[str, str]
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID})

    async def pieces() -> Any:
        yield body[:3]
        yield body[3:]

    length = {"Content-Length": str(len(body))}
    for content in (body, pieces()):
        answer = await gateway.client.post(target, content=content, headers={**headers, **length})
        assert (answer.status_code, answer.json()["code"]) == (400, "SG1019")
    assert shard.asked == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"_method=delete", FORM),
        (b'{"_method":"DELETE"}', {}),
        (b'{"_method":"DELETE"}', {"Content-Type": "application/json"}),
        (multipart("DELETE"), MULTIPART),
        (b"note=" + 50_000 * b"x" + b"&_method=delete", FORM),
    ],
)
@pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}])
async def test_a_method_in_a_chunked_body_is_refused_as_in_one_with_a_length(
    shard: Any, start_gateway: Any, body: bytes, headers: dict[str, str], expect: dict[str, str]
) -> None:
    """Found: a body without a length was sent on while it came, and nobody had looked for `_method`."""
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID})

    async def pieces() -> Any:
        yield body[:10]
        await one_turn()
        yield body[10:]

    answer = await gateway.client.post("/notes", content=pieces(), headers={**headers, **expect})
    assert (answer.status_code, answer.json().get("code")) == (400, "SG1019")
    assert shard.asked == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"method=delete", FORM),
        (b'{"method":"DELETE"}', {}),
        (b"_method=delete", {"Content-Type": "application/octet-stream"}),
        (100_000 * b"x", FORM),
        (b"", FORM),
    ],
)
async def test_a_chunked_body_that_names_no_method_is_sent_on_as_it_comes(
    shard: Any, start_gateway: Any, body: bytes, headers: dict[str, str]
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID})

    async def pieces() -> Any:
        yield body[:10]
        await one_turn()
        yield body[10:]

    assert (await gateway.client.post("/notes", content=pieces(), headers=headers)).status_code == 200
    assert shard.asked[0].body == body
    assert shard.asked[0].field("transfer-encoding") == ["chunked"]


@pytest.mark.parametrize("sent", [(b"_method=delete", FORM), (multipart("DELETE"), MULTIPART)])
async def test_a_form_in_chunks_names_the_method(
    shard: Any, start_gateway: Any, sent: tuple[bytes, dict[str, str]]
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **MEMBER})

    async def pieces() -> Any:
        yield sent[0][:10]
        yield sent[0][10:]

    assert (await gateway.client.post("/things/1", content=pieces(), headers=sent[1])).status_code == 200


@pytest.mark.parametrize("name", [".method", "%2Em%65thod", "+.method"])
async def test_r10_a_name_that_php_reads_as_method_is_refused(shard: Any, start_gateway: Any, name: str) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID})
    sent: tuple[tuple[str, bytes], ...] = ((f"/notes?{name}=DELETE", b""), ("/notes", f"{name}=DELETE".encode()))
    for target, body in sent:
        answer = await gateway.client.post(target, content=body, headers=FORM)
        assert (answer.status_code, answer.json()["code"]) == (400, "SG1002")
    assert shard.asked == []


BOTH: dict[str, Any] = {
    **MEMBER,
    "method_override": "_method",
    "method_override_header": "X-HTTP-Method-Override",
    "rules": {
        f"{method} /things/{{id}}": {"rule": "one", "key": "path.id", "locate": "thing"}
        for method in ("POST", "PUT", "PATCH", "DELETE")
    },
}
HEADER = "X-HTTP-Method-Override"


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        ("/things/1?_method=PUT", b"_method=DELETE", FORM),
        ("/things/1?_method=PUT", b'{"_method":"DELETE"}', {}),
        ("/things/1?_method=PUT", b'{"_method":"POST"}', {}),
        ("/things/1?_method=PUT", multipart("DELETE"), MULTIPART),
        ("/things/1?_method=POST", b"", {HEADER: "PUT"}),
        ("/things/1?_method=PUT", b"", {HEADER: "POST"}),
        ("/things/1?_method=PUT", b"", {HEADER: "LINK"}),
        ("/things/1", b"_method=DELETE", {**FORM, HEADER: "PUT"}),
        ("/things/1", b'{"_method":"DELETE"}', {HEADER: "PUT"}),
        ("/things/1", multipart("PATCH"), {**MULTIPART, HEADER: "PUT"}),
        ("/things/1", b'{"_method":"HEAD"}', {HEADER: "PUT"}),
    ],
)
@pytest.mark.parametrize("is_said", [True, False])
async def test_two_methods_in_one_post_are_refused(
    shard: Any, start_gateway: Any, target: str, body: bytes, headers: dict[str, str], is_said: bool
) -> None:
    """Found: a query that named PUT was followed, and the body that named DELETE was not looked at.

    `is_said`: the configuration says that the application reads both. Else a rule of each method would serve it alike.
    """
    unsaid = {} if is_said else {"method_override": None, "method_override_member": None}
    gateway = await start_gateway({"shards": {"north": shard.url}, **BOTH, **unsaid})
    answer = await gateway.client.post(target, content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1019")
    assert shard.asked == []


async def test_methods_that_agree_are_one(shard: Any, start_gateway: Any) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **BOTH})
    for body, headers in ((b"_method=put", FORM), (multipart("PUT"), MULTIPART), (b'{"_method":"Put"}', {})):
        said = {**headers, HEADER: "PUT"}
        answer = await gateway.client.post("/things/1?_method=put", content=body, headers=said)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("target", "body", "headers"),
    [
        ("/things/7", b"_method=PUT", FORM),  # both go to the same shard
        ("/other", b"_method=PUT", FORM),  # a subtree has both
        ("/things", b'{"vendor":"v","payment_method":"GET","note":"_method=GET"}', {}),
        ("/things", b'{"vendor":"v","in":{"_method":"GET"}}', {}),
        ("/things?_method=card", b'{"vendor":"v","_method":"card"}', {}),
        ("/things?payment_method=GET", b'{"vendor":"v"}', {}),
        ("/notes", b"_method=DELETE", {"Content-Type": "application/xml"}),
    ],
)
async def test_r10_what_names_no_other_rule_is_sent_on(
    shard: Any, start_gateway: Any, target: str, body: bytes, headers: dict[str, str]
) -> None:
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID})
    answer = await gateway.client.post(target, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert shard.asked[0].body == body


async def test_r10_the_application_may_read_no_method(shard: Any, start_gateway: Any) -> None:
    ignored = {"method_override": "ignored", "method_override_member": "ignored"}
    gateway = await start_gateway({"shards": {"north": shard.url}, **UNSAID, **ignored})
    answer = await gateway.client.post("/things?_method=GET", json={"vendor": "v", "_method": "GET"})
    assert answer.status_code == 200
    assert (await gateway.client.post("/notes", data={"_method": "DELETE"})).status_code == 200
