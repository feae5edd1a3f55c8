"""The C code and its twin in Python make the same page of the same bodies; what the C code does not take, it leaves."""

import importlib.machinery
import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import shardgate.core.lists.short_rows as tried
from shardgate.core.limits import FLOW_BYTES_MIN
from shardgate.core.order.order import Order, total_order
from shardgate.core.order.sort_key import SortKey

SOURCE = Path(tried.__file__).with_name("_short_rows.c")
COMPILER = shutil.which(sysconfig.get_config_var("CC").split()[0] if sysconfig.get_config_var("CC") else "cc")
SHARDS = ("north", "south", "west")
KEYS: dict[str, Any] = {
    "id": "text",
    "number": "number",
    "name": "text",
    "price": "number",
    "open": "boolean",
    "rank": SortKey(type="number", nulls="last"),
    "city": SortKey(type="text", nulls="always_first"),
    "day": "time",
    "deep": SortKey(path="a.b"),
    "any": "any",
}
needs_compiler = pytest.mark.skipif(
    tried.compiled is None and COMPILER is None, reason="the C code is neither compiled nor can it be"
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> Any:
    """The C code, also where this installation has it not."""
    before = tried.compiled
    if before is None and COMPILER is not None:
        with tempfile.TemporaryDirectory() as folder:
            tried.compiled = built(Path(folder))  # type: ignore[assignment]
            yield
    else:
        yield
    tried.compiled = before


def built(folder: Path) -> ModuleType:
    binary = folder / f"_short_rows{sysconfig.get_config_var('EXT_SUFFIX')}"
    includes = [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]
    more = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    words = [
        str(COMPILER),
        "-O2",
        "-Wall",
        "-Werror",
        "-shared",
        "-fPIC",
        *more,
        *includes,
        str(SOURCE),
        "-o",
        str(binary),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loader = importlib.machinery.ExtensionFileLoader("shardgate.core.lists._short_rows", str(binary))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def order_of(*names: str, tie: str = "id") -> Order:
    return total_order(tuple((name.removeprefix("-"), name.startswith("-")) for name in names), KEYS, tie)


def page(order: Order, start: int, end: int | None) -> tried.ShortRows:
    assert order.tie is not None
    return tried.ShortRows(order, order.tie, start, end)


def by_c(rows: tried.ShortRows, bodies: Sequence[bytes]) -> tried.MadePage | None:
    """What the C code alone gives; None: it leaves the page to Python."""
    c = rows._compiled
    assert c is not None
    shards = SHARDS[: len(bodies)]
    return c.merged(list(bodies), shards, rows._start, rows._end, rows._end, tried.ROWS_MAX, tried.LEARNED_ROWS_MAX)


def by_python(rows: tried.ShortRows, bodies: Sequence[bytes]) -> tried.MadePage | str | None:
    try:
        return rows.in_python(list(bodies), SHARDS[: len(bodies)])
    except (ValueError, RecursionError) as error:
        return type(error).__name__


TEXTS = st.sampled_from(["a", "A", "b", "ab", "", "é", "\uffff", "😀", "a\x00", 'q"\\/\n\x7f', "x" * 40])
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.5, -0.5, 1.25, 1e21, -1.0000001, 10**17, 10**18, -(10**19), 4500.123456789, 0.1234567891]),
)
ODD = st.one_of(st.none(), st.booleans(), TEXTS, NUMBERS, st.just([]), st.just({"id": "x", "a": [1, {"b": None}]}))
ORDERS = st.lists(
    st.sampled_from(["id", "number", "name", "price", "open", "rank", "city"]), min_size=1, max_size=3, unique=True
)


@st.composite
def pages(draw: st.DrawFn) -> tuple[Order, int, int | None, list[bytes]]:
    names = [f"-{name}" if draw(st.booleans()) else name for name in draw(ORDERS)]
    order = order_of(*names, tie=draw(st.sampled_from(["id", "number"])))
    bodies = []
    for shard in SHARDS[: draw(st.integers(1, 3))]:
        rows = [
            {
                "id": f"{draw(TEXTS)}{n}{shard}",
                "name": draw(TEXTS),
                "x": draw(ODD),
                "price": draw(NUMBERS),
                "number": draw(NUMBERS),
                "open": draw(st.booleans()),
                **({"rank": draw(st.one_of(st.none(), NUMBERS))} if draw(st.booleans()) else {}),
                "city": draw(st.one_of(st.none(), TEXTS)),
                **({"": draw(ODD)} if draw(st.booleans()) else {}),
            }
            for n in range(draw(st.integers(0, 5)))
        ]
        if draw(st.integers(0, 9)):
            in_order(rows, order)
        space = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n\t", " :\r ")]))
        text = json.dumps(
            rows, separators=space, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
        )
        bodies.append(damaged(draw, text.encode()))
    end = draw(st.one_of(st.none(), st.integers(0, 20)))
    return order, draw(st.integers(0, 4)), end, bodies


def in_order(rows: list[dict[str, Any]], order: Order) -> None:
    for name, descends in reversed(order.by):
        missing = 2 if name == "rank" else 0 if not descends else 2
        rows.sort(key=lambda row: (missing, 0) if row.get(name) is None else (1, row[name]), reverse=descends)


def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """The body with one byte another, one time in six."""
    if draw(st.integers(0, 5)) or not body:
        return body
    at = draw(st.integers(0, len(body) - 1))
    byte = draw(
        st.sampled_from([b"", b"\x00", b'"', b"\\", b"{", b"]", b",", b"0", b"\xff", b"\xe9", b"n", b"-", b" "])
    )
    return body[:at] + byte + body[at + 1 :]


@needs_compiler
@given(pages())
@example((order_of("price"), 0, None, [b'[{"id":"a","price":1.0},{"id":"b","price":1}]', b'[{"id":"c","price":0.9}]']))
@example(
    (order_of("price"), 0, None, [b'[{"id":"a","price":-0.5},{"id":"b","price":-0.25}]', b'[{"id":"c","price":-1}]'])
)
@example((order_of("id"), 0, None, [b'[{"id":"a","id":"b"},{"id":"c"}]', b'[{"id":null,"id":"x"}]']))
def test_what_the_c_code_gives_is_what_python_gives(drawn: tuple[Order, int, int | None, list[bytes]]) -> None:
    order, start, end, bodies = drawn
    rows = page(order, start, end)
    made = by_c(rows, bodies)
    assert made is None or made == by_python(rows, bodies)


@needs_compiler
def test_a_missing_tie_breaker_is_left_to_python() -> None:
    # Found: a tie-breaker with `nulls` was read where a row had none: of memory that nothing had been written to.
    rows = page(order_of("id", tie="rank"), 0, 10)
    texts = b'[{"id":"a","rank":1},{"id":"b"}]', b'[{"id":"a","rank":null},{"id":"c","rank":2}]'
    assert by_c(rows, texts) is None
    assert by_python(rows, texts) is not None


@needs_compiler
@pytest.mark.parametrize(
    "order", [order_of("id"), order_of("-price", "name"), order_of("rank", "-city"), order_of("open", tie="number")]
)
@pytest.mark.parametrize("space", [(",", ":"), (", ", ": ")])
def test_the_c_code_makes_usual_pages(order: Order, space: tuple[str, str]) -> None:
    bodies = []
    for shard in SHARDS:
        rows: list[dict[str, Any]] = [
            {
                "id": f"é\n{n}{shard}",
                "name": "a guide's walk, " * 3,
                "x": [{"y": [1e5, -0.5, True]}],
                "price": 4.5 * n,
                "open": n > 1,
                "number": n,
                "rank": n or None,
                "city": None,
            }
            for n in range(4)
        ]
        in_order(rows, order)
        bodies.append(json.dumps(rows, separators=space).encode())
    rows_of_page = page(order, 1, 6)
    made = by_c(rows_of_page, bodies)
    assert made is not None
    assert made == by_python(rows_of_page, bodies)
    assert made[1:3] == (5, [4, 4, 4])


@needs_compiler
@pytest.mark.parametrize(
    "body",
    [
        b'[{"id":"a"},{"id":"b"}',
        b'[{"id":"a"},{"id":"b"},]',
        b'[{"id":"a"},{"id":"b"}]x',
        b'[{"id":"a"},{"id":"b"}]\x00',
        b'[{"id":"a",},{"id":"b"}]',
        b'[{"id":"a","x":01},{"id":"b"}]',
        b'[{"id":"a","x":1.},{"id":"b"}]',
        b'[{"id":"a","x":+1},{"id":"b"}]',
        b'[{"id":"a","x":-},{"id":"b"}]',
        b'[{"id":"a","x":1e},{"id":"b"}]',
        b'[{"id":"a","x":tru},{"id":"b"}]',
        b'[{"id":"a","x":[1,]},{"id":"b"}]',
        b'[{"id":"a","x":[1}},{"id":"b"}]',
        b'[{"id":"a","x":{"y"}},{"id":"b"}]',
        b'[{"id":"a","x":"\n"},{"id":"b"}]',
        b'[{"id":"a","x":"\\q"},{"id":"b"}]',
        b'[{"id":"a","x":"\\u12g4"},{"id":"b"}]',
        b'[{"id":"a","x":"\xff"},{"id":"b"}]',
        b'[{"id":"a","x":"\xed\xa0\x80"},{"id":"b"}]',
        b'[{"id":"a"},{"name":"b"}]',
        b'[{"id":"a"},{"id":1}]',
        b'[{"id":"a"},7]',
        b'[{"id":"b"},{"id":"a"}]',
        b"null",
        b"",
        b"[",
    ],
)
def test_what_is_wrong_is_left_to_python(body: bytes) -> None:
    for bodies in ([body], [b'[{"id":"a"},{"id":"c"}]', body]):
        assert by_c(page(order_of("id"), 0, 10), bodies) is None


@needs_compiler
@pytest.mark.parametrize(
    ("order", "body"),
    [
        (order_of("id"), rb'[{"id":"a"},{"id":"\ud83d"}]'),
        (order_of("id"), rb'[{"id":"a","x":"\ud83d"},{"id":"b"}]'),
        (order_of("id"), rb'[{"id":"a"},{"\u0069d":"b"}]'),
        (order_of("price"), b'[{"id":"a","price":1e2},{"id":"b","price":1e3}]'),
        (order_of("price"), b'[{"id":"a","price":-0},{"id":"b","price":1000000000000000000}]'),
        (order_of("number", tie="number"), b'[{"number":1},{"number":2.5}]'),
        (order_of("id"), b'[{"id":"a","x":%b},{"id":"b"}]' % (b"[" * 70 + b"]" * 70)),
    ],
)
def test_what_is_unusual_is_left_to_python(order: Order, body: bytes) -> None:
    rows = page(order, 0, 10)
    assert by_c(rows, [body]) is None
    assert isinstance(by_python(rows, [body]), str if rb"\ud83d" in body else tuple)


MANY = b",".join([b'"m%d": %d' % (n, n) for n in range(40)])


@needs_compiler
@pytest.mark.parametrize(
    "bodies",
    [
        [b'[{"id":"a","x":1},{"x":1,"id":"b"},{"id":"c"},{"y":2,"id":"d","x":1}]'],
        [b'[{"id":"a","x":1},{"id" :"b","x": 1},{"id":\n"c","x" :1}]', b'[{"id":   "d"},{"id":"e"}]'],
        [b'[{"id":"a","ida":"z"},{"ida":"y","id":"b"},{"i":"x","id":"c"}]'],
        ['[{"id":"a","é":1},{"id":"b","é":2}]'.encode(), '[{"id":"c","é":1},{"id":"d","é":"ü"}]'.encode()],
        [b'[{%b,"id":"a"},{%b,"id":"b"}]' % (MANY, MANY), b'[{%b,"id":"c"},{"id":"d",%b}]' % (MANY, MANY)],
        [b'[{"id":"a","id":"b"},{"id":"c","id":"d"}]'],
        [b'[{},{"id":"b"}]', b'[{"id":"c"},{}]'],
    ],
)
def test_a_name_that_is_expected_of_the_row_before_may_be_another_one(bodies: list[bytes]) -> None:
    rows = page(order_of("id"), 0, 10)
    found = by_c(rows, bodies)
    assert found == (None if b"{}" in bodies[0] else by_python(rows, bodies))
    assert found is not None or b"{}" in bodies[0]


@needs_compiler
@pytest.mark.parametrize("end", range(1, 24))
def test_a_body_that_ends_within_a_name_that_is_expected_is_left_to_python(end: int) -> None:
    whole = b'[{"id":"a","name": 1},{"id":"b","name": 2}]'
    assert by_c(page(order_of("id"), 0, 10), [whole, whole[:-end]]) is None


@pytest.mark.parametrize("name", ["day", "deep", "any"])
def test_keys_that_the_c_code_does_not_know_are_read_in_python(name: str) -> None:
    assert page(order_of(name), 0, 10)._compiled is None


@needs_compiler
def test_a_page_has_no_more_rows_than_are_merged_at_once() -> None:
    bodies = [json.dumps([{"id": f"{n:05}{shard}"} for n in range(1000)]).encode() for shard in SHARDS]
    assert by_c(page(order_of("id"), 0, None), bodies[:2]) == by_python(page(order_of("id"), 0, None), bodies[:2])
    assert by_c(page(order_of("id"), 0, None), bodies) is None
    assert by_python(page(order_of("id"), 0, None), bodies) is None
    assert by_c(page(order_of("id"), 0, 999), bodies[:1]) is None
    assert by_c(page(order_of("id"), 10**30, 10**31), bodies[:2]) is None


def test_bodies_that_are_long_are_not_merged_by_python() -> None:
    """It takes a millisecond for each 150 KB, and other requests wait."""
    rows = page(order_of("price"), 0, 10)
    unusual = b'[{"price":1e2,"id":"a"},{"price":1e3,"id":"b"}%b]'
    assert rows.merged([unusual % b""], SHARDS[:1]) is not None
    assert rows.merged([unusual % (b" " * FLOW_BYTES_MIN)], SHARDS[:1]) is None


@needs_compiler
def test_a_wrong_call_of_the_c_code_is_an_error() -> None:
    c = page(order_of("id"), 0, 10)._compiled
    assert c is not None
    with pytest.raises(ValueError, match="as many shards"):
        c.merged([b"[]"], ("a", "b"), 0, 1, 1, 1, 1)
    with pytest.raises(TypeError, match="a list of bodies"):
        c.merged((b"[]",), ("a",), 0, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="1 to 8 keys"):
        type(c)([], 0)
