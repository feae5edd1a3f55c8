"""Makes inputs of others: pieces are cut, doubled, swapped, spoilt, or taken from what parsers stumble over.

Holds: the same seed gives the same inputs.
"""

import random
from collections.abc import Iterator, Sequence

SIZE_MAX = 4096
TOKENS: tuple[bytes, ...] = (
    *(
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\0",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b"=",
        b"&",
        b"%",
        b"%00",
        b"%ff",
        b"+",
        b"-",
        b"_",
        b".",
    ),
    *(
        b'"',
        b"\\",
        b"'",
        b"`",
        b"(",
        b")",
        b"<",
        b">",
        b"{",
        b"}",
        b"[",
        b"]",
        b"/",
        b"//",
        b"..",
        b"?",
        b"#",
        b"@",
        b"*",
        b"~",
        b"|",
    ),
    *(
        b"\x7f",
        b"\x80",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xe2\x80\xa5",
        b"\\u0000",
        b"\\ud800",
        b"\\udc00",
    ),
    *(
        b"0",
        b"-0",
        b"1e999",
        b"1E-999",
        b"0x1",
        b"1_0",
        b"00",
        b"9" * 20,
        b"9" * 400,
        b"9" * 4400,
        b"NaN",
        b"Infinity",
        b"null",
        b"true",
    ),
    *(
        b"chunked",
        b"gzip",
        b"close",
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Host: b\r\n",
        b" folded\r\n",
    ),
    *(
        b"[" * 300,
        b'{"a":' * 300,
        b"a" * 300,
        b'"a":1,',
        b"id",
        b"ID",
        b"__proto__",
        b"- &a [*a]\n",
        b"!!python/object:os.system x\n",
    ),
)
"""What has meant something to some parser."""


def mutated(seeds: Sequence[bytes], chance: random.Random) -> bytes:
    """One input: a seed, changed in one to four places."""
    data = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        data = _changed(data, seeds, chance)
    return data[:SIZE_MAX]


def inputs(seeds: Sequence[bytes], seed: int | str) -> Iterator[bytes]:
    """Without end."""
    chance = random.Random(seed)
    while True:
        yield mutated(seeds, chance)


def _changed(data: bytes, seeds: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 1, 2, 4, 8, 32)))
    match chance.randrange(9):
        case 0:
            return data[:at] + chance.choice(TOKENS) + data[at:]
        case 1:
            return data[:at] + chance.choice(TOKENS) + data[end:]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:end] + data[at:end] * chance.choice((1, 2, 9, 99)) + data[end:]
        case 4 if data:
            spoilt = chance.randrange(len(data))
            return data[:spoilt] + bytes([data[spoilt] ^ (1 << chance.randrange(8))]) + data[spoilt + 1 :]
        case 5:
            other = chance.choice(seeds)
            return data[:at] + other[chance.randrange(len(other) + 1) :]
        case 6:
            return data[:at]
        case 7:
            return data[:at] + chance.randbytes(chance.choice((1, 2, 4, 16))) + data[at:]
        case _:
            to = chance.randrange(len(data) + 1)
            without = data[:at] + data[end:]
            return without[:to] + data[at:end] + without[to:]
