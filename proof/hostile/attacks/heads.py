"""Heads of requests: targets, fields and lists in fields, as long as a head may be and longer."""

from collections.abc import Callable

from proof.hostile.asking import Message, request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.stage import Stage

_ROOM = 15 * 1024


def _asks(*messages: Callable[[], Message], allowed: tuple[int, ...] = ()) -> Attack:
    async def run(stage: Stage) -> Outcome:
        return told([await stage.ask(message()) for message in messages], allowed=allowed)

    return Attack("", run)


def _get(target: str, *lines: str) -> Callable[[], bytes]:
    return lambda: request("GET", target, *lines)


def _filled(text: str, size: int = _ROOM) -> str:
    return text * (size // len(text))


def _lines(count: int, text: str) -> list[str]:
    return [text.format(n=n) for n in range(count)]


LIST_FIELDS = {
    "Range": "bytes=" + _filled("0-1,", 24_000) + "5-6",
    "If-None-Match": _filled('"a",', 24_000) + '"b"',
    "If-Match": _filled('W/"a",', 24_000) + '"b"',
    "If-Modified-Since": _filled("Sun, 06 Nov 1994 08:49:37 GMT, ", 24_000),
    "Accept-Encoding": _filled("gzip;q=0.001,", 24_000) + "br",
    "Accept": _filled("a/b;q=0.5,", 24_000) + "*/*",
    "Connection": _filled("x,", 24_000) + "close",
    "Forwarded": _filled("for=1.2.3.4;by=b,", 24_000) + "for=_x",
    "Forwarded, quoted": _filled('for="[2001:db8::1]:80";host="\\"\\\\",', 24_000) + "for=_x",
    "X-Forwarded-For": _filled("1.2.3.4, ", 24_000) + "5.6.7.8",
    "Cookie": _filled("a=b; ", 24_000),
    "Prefer": _filled("respond-async, wait=10; ", 24_000),
    "Cache-Control": _filled("no-cache, ", 24_000),
    "TE": _filled("trailers;q=0.1, ", 24_000),
    "Via": _filled("1.1 a, ", 24_000),
    "Expect": _filled("100-continue, ", 24_000),
    "Upgrade": _filled("h2c, ", 24_000),
    "Authorization": "Basic " + "QQ" * 12_000,
    "Idempotency-Key": '"' + "k" * 24_000 + '"',
    "X-Request-Id": "r" * 24_000,
    "traceparent": "00-" + "0" * 24_000,
    "X-Thing": "n-" + "1" * 24_000,
    "Host": "a." * 12_000 + "example",
}

HEADS: dict[str, Attack] = {
    "query of thousands of parameters": _asks(
        *(_get(f"{path}?{_filled('a=b&')}id=n-1") for path in ("/query", "/list", "/walk", "/pages", "/any"))
    ),
    "query of empty parameters": _asks(
        *(_get(f"{path}?{_filled('&')}id=n-1") for path in ("/query", "/list", "/walk", "/any"))
    ),
    "query of the key a thousand times": _asks(_get(f"/query?{_filled('id=n-1&')}id=n-1")),
    "query of twins": _asks(
        *(_get(f"/query?id=n-1&{more}=s-1") for more in ("Id", "id%5b%5d", "ID", "id[]", "%69d", "id[0]")),
        _get("/query?id=n-1;id=s-1"),
        allowed=(400,),
    ),
    "query of escapes": _asks(*(_get(f"{path}?a={_filled('%41')}") for path in ("/query", "/list", "/walk", "/any"))),
    "query of characters outside of the grammar": _asks(*(_get(f"/any?{each * 500}") for each in '|"<>^`{}\\')),
    "cursor of 16 KB": _asks(*(_get(f"{p}={_filled('QUJD')}") for p in ("/walk?cursor", "/after?starting_after"))),
    "cursor of dots and signatures": _asks(
        *(
            _get(f"/walk?cursor={text}")
            for text in (_filled("."), "a.b", ".", "..", "v1." + _filled("A"), "%00", "=" * 99)
        )
    ),
    "cursor, forged": _asks(
        *(
            _get(f"/after?{p}={v}")
            for p in ("starting_after", "ending_before")
            for v in ("..%2f..", "s-1/../x", "a%00b", "%ff")
        )
    ),
    "fields= of thousands": _asks(
        _get(f"/list?fields={_filled('id,')}n"), _get(f"/list?fields={_filled('id,n,')}&limit=2")
    ),
    "fields= of distinct names": _asks(_get("/list?fields=" + ",".join(f"f{n}" for n in range(2500)))),
    "order= of thousands": _asks(
        *(
            _get(f"{path}?order={_filled(text)}n")
            for path in ("/list", "/env", "/pages")
            for text in ("id,", "-id,", ",", "x,")
        )
    ),
    "limit and offset beyond all": _asks(
        *(
            _get(f"{path}?limit={value}&offset={value}&page={value}")
            for path in ("/list", "/pages", "/env", "/walk", "/link")
            for value in ("0", "-1", "9" * 15, "9" * 300, "9" * 5000, "1e9", "0x10", "99999")
        )
    ),
    "offset far behind the end": _asks(
        *(_get(f"{path}?limit=10&offset=5000000&page=99999") for path in ("/list", "/env", "/pages"))
    ),
    "path of thousands of segments": _asks(
        _get("/" + "a/" * 7000), _get("/things/" + "../" * 5000), _get("/" * 15_000)
    ),
    "path of escapes": _asks(
        _get("/things/" + "%6e" * 5000), _get("/things/%2e%2e%2f" * 800), _get("/things/n-%00"), _get("/%")
    ),
    "path that climbs": _asks(
        *(
            _get(path)
            for path in (
                "/things/..",
                "/things/%2e%2e",
                "/things/.",
                "/things/n-1%2f..%2f..%2fadmin",
                "/things/n-1;a=b",
                "/probed/..",
                "/probed/%2e%2e%2fthings%2fn-1",
                "/probed/x%3fa=b",
                "/probed/x%23",
                "//things/n-1",
                "/things\\n-1",
            )
        )
    ),
    "head of 32 KB in one field": _asks(_get("/any", "X-Long: " + "x" * 31_000)),
    "head beyond 32 KB": _asks(_get("/any", "X-Long: " + "x" * 40_000)),
    "head of 99 fields": _asks(_get("/any", *_lines(95, "X-F{n}: 1"))),
    "head of 10,000 fields": _asks(_get("/any", *_lines(10_000, "X-F{n}: 1"))),
    "head of one name 90 times": _asks(_get("/header", *_lines(90, "X-Thing: n-1"))),
    "head of twins": _asks(
        _get("/header", "X-Thing: n-1", "X_Thing: s-1"), _get("/header", *_lines(40, "X_Thing: n-{n}"))
    ),
    "heads that are all new": _asks(*(_get("/any", *_lines(60, f"X-{k}-{{n}}: {'v' * 300}")) for k in range(40))),
    "keys that are all new": _asks(*(_get(f"/things/n-{'z' * 500}{n}") for n in range(200))),
    "Host in odd forms": _asks(
        *(
            (lambda host=host: f"GET /any HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
            for host in (
                "a!$&'()*+,;=b",
                "a:00000000080",
                "a:99999",
                "[::1",
                "[::1]:80",
                "a@b",
                "a/b",
                "",
                "a b",
                "\xff",
                "127.0.0.1:1",
            )
        )
    ),
    "Basic in odd forms": _asks(
        *(
            _get("/basic", f"Authorization: {text}")
            for text in (
                "Basic",
                "Basic =",
                "Basic " + "Og" * 9000,
                "Basic Og==",
                "basic %%%",
                "Basic /////w==",
                "Bearer",
            )
        )
    ),
    "conditions on a list": _asks(
        *(
            _get("/list?limit=5", f"{name}: {LIST_FIELDS[name]}")
            for name in ("If-None-Match", "If-Match", "Range", "If-Modified-Since")
        )
    ),
}
HEADS |= {
    f"{name} of thousands": _asks(
        *(
            _get(path, f"{name.partition(',')[0]}: {value}")
            for path in ("/any", "/list?limit=5", "/things/n-1", "/header")
        )
    )
    for name, value in LIST_FIELDS.items()
}
