"""Access tokens that are not what they say, and an issuer whose keys are hostile."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from proof.hostile.asking import request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.shards import Asked, Behaviour, reply
from proof.hostile.stage import Stage
from proof.hostile.tokens import KID, TokenStage, number64


def _encoded(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unsigned(head: Any, claims: Any = None, signature: bytes = b"x" * 256) -> str:
    return f"{_encoded(head)}.{_encoded({'sub': 'a'} if claims is None else claims)}.{_encoded(signature)}"


def _room(text: str) -> Any:
    """As deep as a head has room for."""
    return json.loads("[" * 900 + text + "]" * 900)


HEADS: dict[str, list[Any]] = {
    "alg none": [{"alg": alg} for alg in ("none", "None", "NONE", "", None, 7, [], {})],
    "another algorithm": [
        {"alg": alg, "kid": KID} for alg in ("HS256", "HS512", "ES256", "PS256", "RS512", "EdDSA", "RS256 ")
    ],
    "crit": [{"alg": "RS256", "kid": KID, "crit": crit} for crit in (["exp"], [], None, "b64", ["b64"] * 500)],
    "b64 false": [{"alg": "RS256", "kid": KID, "b64": False, "crit": ["b64"]}],
    "kid that climbs": [
        {"alg": "RS256", "kid": kid}
        for kid in ("../../../dev/null", "' OR 1=1 --", "\u0000", "k" * 9000, 7, [], {"a": 1}, None)
    ],
    "keys of its own": [
        {"alg": "RS256", "jku": "http://127.0.0.1:1/jwks"},
        {"alg": "RS256", "jwk": {"kty": "oct", "k": "YQ"}},
        {"alg": "RS256", "x5u": "http://127.0.0.1:1/c", "x5c": ["a" * 4000]},
    ],
    "a deep head": [b'{"alg":"RS256","a":' + b"[" * 8000 + b"]" * 8000 + b"}", b"[" * 9000, b'{"a":' * 3000],
    "a head of numbers": [
        b'{"alg":"RS256","a":' + b"9" * 9000 + b"}",
        b'{"alg":' + b"9" * 9000 + b"}",
        b'{"alg":"RS256","a":1e999999}',
    ],
    "a head that is no object": [
        b"",
        b"7",
        b"null",
        b'"RS256"',
        b"\xff\xfe",
        b'{"alg":"RS256"',
        b'{"alg":"RS256","alg":"none"}',
    ],
    "packed": [{"alg": "RS256", "zip": "DEF", "kid": KID}, {"alg": "RSA-OAEP", "enc": "A256GCM"}],
}
SIGNED: dict[str, list[Any]] = {
    "claims of 9 KB": [{"sub": "a", "x": "y" * 9000}],
    "claims of thousands": [{"sub": "a", **{f"c{n}": n for n in range(600)}}],
    "deep claims": [{"sub": "a", "x": _room("1")}, {"sub": _room("1")}],
    "claims of large numbers": [
        b'{"sub":"a","exp":' + b"9" * 6000 + b"}",
        b'{"exp":4000000000,"sub":' + b"9" * 6000 + b"}",
        b'{"sub":"a","exp":1e999,"nbf":-1e999,"thing":1}',
        b'{"exp":4000000000,"sub":"a","thing":' + b"9" * 5000 + b"}",
    ],
    "claims of odd kinds": [
        {"sub": sub, "thing": thing} for sub in ("", None, 7, [], {}) for thing in (None, [], {}, 7, True)
    ],
    "claims that climb": [
        {"sub": "a", "thing": thing} for thing in ("..", "n-1/../x", "n-1\r\nX: y", "\ud800", "n-" + "1" * 8000)
    ],
    "claims that are no object": [b"[]", b"7", b"null", b"", b"{", b'"a"', b"\xff"],
    "times of odd kinds": [
        {"sub": "a", "exp": exp, "nbf": nbf} for exp in ("9", None, -1, 1e30, True) for nbf in ("x", 10**12, [])
    ],
    "aud and iss of thousands": [{"sub": "a", "aud": [str(n) for n in range(1500)], "iss": ["x"] * 500}],
}


def _with_tokens(make: Callable[[TokenStage], list[str]], allowed: tuple[int, ...]) -> Attack:
    async def run(stage: Stage) -> Outcome:
        assert isinstance(stage, TokenStage)
        asked = [(token, target) for token in make(stage) for target in ("/any", "/claimed", "/list?limit=2")]
        answers = [await stage.ask(request("GET", target, f"Authorization: Bearer {token}")) for token, target in asked]
        return told(answers, allowed=allowed)

    return Attack("", run, stage="tokens")


def _forged(heads: list[Any]) -> Callable[[TokenStage], list[str]]:
    return lambda _: [_unsigned(head) for head in heads]


def _claiming(claims: list[Any]) -> Callable[[TokenStage], list[str]]:
    return lambda stage: [stage.signed(each) for each in claims]


_JUDGED = (200, 400, 401, 403, 404, 431)
TOKENS: dict[str, Attack] = {
    **{name: _with_tokens(_forged(heads), (401, 431)) for name, heads in HEADS.items()},
    **{name: _with_tokens(_claiming(claims), _JUDGED) for name, claims in SIGNED.items()},
    "200 forged tokens that are all new": _with_tokens(
        lambda stage: [_unsigned({"alg": "RS256", "kid": KID}, {"sub": str(n)}) for n in range(200)], (401,)
    ),
    "200 good tokens that are all new": _with_tokens(
        lambda stage: [stage.signed({"sub": str(n)}) for n in range(200)], (200, 404, 400)
    ),
    "tokens of odd letters": _with_tokens(
        lambda _: ["a.b", "a.b.c.d", "..", "a..c", "%%%.%%%.%%%", "é.é.é", "a.b.c " * 9, "=" * 9000], (401, 400)
    ),
    "tokens that name keys nobody has": _with_tokens(
        lambda _: [_unsigned({"alg": "RS256", "kid": f"no-{n}"}) for n in range(100)], (401, 503)
    ),
}


def _issued(say: Callable[[TokenStage], bytes] | Behaviour, *, slow: bool = False) -> Attack:
    """The issuer answers so. Good tokens stay good, and those of a key that nobody published stay bad."""

    async def run(stage: Stage) -> Outcome:
        assert isinstance(stage, TokenStage)
        behaviour = say if asyncio.iscoroutinefunction(say) else _said(say(stage))  # type: ignore[arg-type,call-arg]
        await stage.fetched(behaviour, 1, 3.0)
        evil = stage.signed({"sub": "evil"}, key=stage.other, kid="evil")
        huge = _unsigned({"alg": "RS256", "kid": "huge"}, signature=b"\x01" * 4096)
        refused = [await stage.ask(request("GET", "/any", f"Authorization: Bearer {text}")) for text in (evil, huge)]
        good = [await stage.ask(request("GET", "/any", stage.good)) for _ in range(3)]
        stage.issuer.behaviour = stage.publish
        stage.issuer.cut()
        refusal, outcome = told(refused, allowed=(401, 503, 431)), told(good, allowed=(200,))
        return Outcome(f"{outcome.said}; {refusal.said}", (*refusal.findings, *outcome.findings))

    return Attack("", run, stage="tokens", slow=slow)


def _said(data: bytes) -> Behaviour:
    async def behave(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        raise ConnectionError

    return behave


async def _endless(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"keys":[')
    while True:
        writer.write(b"{}," * 20_000)
        await writer.drain()


async def _silent(_: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _dripping(_: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.2)


def _keys(make: Callable[[TokenStage], list[dict[str, Any]]]) -> Callable[[TokenStage], bytes]:
    return lambda stage: reply({"keys": make(stage)})


def _text(body: bytes, status: str = "200 OK", fields: str = "") -> Callable[[TokenStage], bytes]:
    return lambda _: reply(body, status=status, fields=fields)


ISSUER: dict[str, Attack] = {
    "says 500": _issued(_text(b"{}", "500 Internal Server Error")),
    "says nothing": _issued(_silent, slow=True),
    "drips": _issued(_dripping, slow=True),
    "never ends": _issued(_endless),
    "closes": _issued(_text(b"")),
    "noise": _issued(lambda _: b"\x00\xff" * 5000),
    "HTML": _issued(_text(b"<html>" * 999)),
    "no keys": _issued(_text(b'{"keys":[]}')),
    "keys that are no list": _issued(_text(b'{"keys":{"a":1}}')),
    "keys that are no objects": _issued(_text(b'{"keys":[1,null,"a",[]]}')),
    "1 MB of JSON": _issued(_text(b'{"keys":[' + b"{}," * 340_000 + b"{}]}")),
    "beyond 1 MB": _issued(_text(b'{"keys":[' + b"{}," * 999_999 + b"{}]}")),
    "deep": _issued(_text(b'{"keys":' + b"[" * 500_000 + b"]" * 500_000 + b"}")),
    "a number of a million digits": _issued(_text(b'{"keys":[{"kty":"RSA","x":' + b"9" * 1_000_000 + b"}]}")),
    "half of it": _issued(_text(b'{"keys":[{"kty":"RSA","n":"')),
    "redirects": _issued(_text(b"", "302 Found", "Location: http://127.0.0.1:1/evil\r\n")),
    "redirects to a file": _issued(_text(b"", "302 Found", "Location: file:///etc/passwd\r\n")),
    "a bomb": _issued(_text(b"\x1f\x8b" + b"\0" * 900_000, fields="Content-Encoding: gzip\r\n")),
    "1,000 keys": _issued(_keys(lambda stage: [stage.jwk(), *({**stage.jwk(), "kid": f"k{n}"} for n in range(1000))])),
    "1,000 keys of one name": _issued(_keys(lambda stage: [stage.jwk()] * 1000)),
    "a modulus of 500,000 bits": _issued(
        _keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "huge", "n": number64(2**500_000 + 1)}])
    ),
    "a modulus of 16,000 bits": _issued(
        _keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "huge", "n": number64(2**15_999 + 1)}])
    ),
    "an exponent of 16,000 bits": _issued(
        _keys(
            lambda stage: [
                stage.jwk(),
                {**stage.jwk(), "kid": "huge", "n": number64(2**15_999 + 1), "e": number64(2**15_990 + 1)},
            ]
        )
    ),
    "an exponent of 1": _issued(_keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "huge", "e": "AQ"}])),
    "an even modulus": _issued(
        _keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "huge", "n": number64(2**2048)}])
    ),
    "a modulus of 512 bits": _issued(
        _keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "evil", "n": number64(2**511 + 1)}])
    ),
    "a secret": _issued(
        _keys(
            lambda stage: [
                stage.jwk(),
                {"kty": "oct", "kid": "evil", "alg": "HS256", "k": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo"},
            ]
        )
    ),
    "a modulus of noise": _issued(_keys(lambda stage: [stage.jwk(), {**stage.jwk(), "kid": "huge", "n": "%%%\u0000"}])),
    "members of odd kinds": _issued(
        _keys(
            lambda stage: [
                stage.jwk(),
                {"kty": 1, "kid": [], "n": {}, "e": None},
                {"kty": "RSA", "key_ops": 7, "use": []},
            ]
        )
    ),
}
