"""A field of a form with files is read as every server reads it, or refused."""

import pytest

from shardgate.core.errors import AmbiguousKeyError, ClientError, TooComplexError
from shardgate.core.plan.multipart import field_of_multipart

TYPE = b"multipart/form-data; boundary=xYz"


def form(*parts: str, end: str = "\r\n--xYz--\r\n") -> bytes:
    return ("--xYz\r\n" + "\r\n--xYz\r\n".join(parts) + end).encode()


def field(name: str, value: str, *lines: str) -> str:
    return "\r\n".join([f'Content-Disposition: form-data; name="{name}"', *lines, "", value])


FILE = field('photo"; filename="a.png', "a\r\n\r\n--xY\r\nname", "Content-Type: image/png")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (form(field("vendor", "acme")), "acme"),
        (form(FILE, field("vendor", "Größe 7")), "Größe 7"),
        (form(field("vendor", "")), ""),
        (form(field("other", "x"), FILE), None),
        (form(field("vendor", "a\r\nb"), end="\r\n--xYz--"), "a\r\nb"),
        (form(field("vendor", "acme", "Content-Type: text/plain; charset=UTF-8")), "acme"),
        (form(field("vendor", "acme").replace('"vendor"', "vendor")), "acme"),
        (form(field("_charset_", "UTF-8"), field("vendor", "acme")), "acme"),
    ],
)
def test_what_all_servers_read(body: bytes, value: str | None) -> None:
    assert field_of_multipart(body, TYPE, "vendor") == value


@pytest.mark.parametrize(
    ("declared", "boundary"),
    [
        (
            b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            b"----WebKitFormBoundary7MA4YWxkTrZu0gW",
        ),
        (b"multipart/form-data; boundary=----geckoformboundaryb61e", b"----geckoformboundaryb61e"),
        (b"multipart/form-data; boundary=alamofire.boundary.0a1b", b"alamofire.boundary.0a1b"),
        (b'multipart/form-data; BOUNDARY="===============12=="', b"===============12=="),
        (b"multipart/form-data; charset=utf-8; boundary=xYz", b"xYz"),
        (b'multipart/form-data;boundary="xYz";charset=UTF-8', b"xYz"),
    ],
)
def test_boundaries_as_clients_write_them(declared: bytes, boundary: bytes) -> None:
    body = form(field("vendor", "acme")).replace(b"xYz", boundary)
    assert field_of_multipart(body, declared, "vendor") == "acme"


@pytest.mark.parametrize(
    "body",
    [
        form(field("vendor", "acme"), field("vendor", "best")),
        form(field("vendor", "acme"), field("Vendor", "best")),
        form(field("vendor[]", "acme")),
        form(FILE.replace("photo", "vendor")),
        form(field("vendor", "acme", "Content-Transfer-Encoding: base64")),
        form(field("vendor", "acme", "Content-Type: text/plain; charset=utf-16")),
        form(field("vendor", "acme", "Content-Type: application/json")),
        form(field("_charset_", "shift_jis"), field("vendor", "acme")),
        b"preamble\r\n" + form(field("vendor", "acme")),
        form(field("vendor", "acme")) + b"epilogue",
        form(field("vendor", "acme"), end="\r\n--xYz\r\n"),
        form(field("a", "1\n--xYz\nContent-Disposition: form-data; name=vendor\n\nbest"), field("vendor", "acme")),
        form(field("vendor", "acme")).replace(b"--xYz\r\n", b"--xYz \r\n", 1),
        form(field("vendor", "acme")).replace(b"\r\n", b"\n"),
        form(field("vendor", "acme", "Content-Disposition: form-data; name=other")),
        form(field("vendor", "acme").replace('; name="vendor"', '; name="vendor"; name="best"')),
        form(field("vendor", "acme").replace('; name="vendor"', "; name*=utf-8''vendor")),
        form(field("vendor", "acme").replace('"vendor"', '"ven\\dor"')),
        form(field("vendor", "acme").replace('"vendor"', "'vendor'")),
        form(field("a", "1"), field("=?utf-8?B?dmVuZG9y?=", "acme")),
        form(field("\0vendor", "acme")),
        form(field("vendor", "acme", "Content Type: text/plain")),
        form(field("vendor", "acme", "Contént-Type: text/plain")),
        form(field("vendor", "acme").replace("name=", 'filename="a"; name=')),
        form(field("ven\xffdor", "acme")).replace("\xff".encode(), b"\xff"),
        form(field("vendor", "acme").replace("\r\n\r\n", "\r\n folded: x\r\n\r\n")),
        form("vendor=acme"),
        form(field("vendor", "acme")).replace(b"acme", b"\xff"),
        b"",
        b"--xYz--\r\n",
    ],
)
def test_what_servers_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        field_of_multipart(body, TYPE, "vendor")


@pytest.mark.parametrize(
    "declared",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=xYz; boundary=aB",
        b"multipart/form-data; boundary*=utf-8''xYz",
        b'multipart/form-data; boundary="x Yz"',
        b"multipart/form-data; boundary=xYz,aB",
        b'multipart/form-data; boundary=xYz"aB"',
        b"multipart/form-data; boundary='xYz'",
        b"multipart/form-data; boundary = xYz",
        b'multipart/form-data; name="; boundary=xYz"',
        b"multipart/form-data; boundary=" + b"x" * 71,
    ],
)
def test_a_boundary_that_is_not_clear_is_refused(declared: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        field_of_multipart(form(field("vendor", "acme")), declared, "vendor")


def test_it_has_bounds() -> None:
    with pytest.raises(TooComplexError):
        field_of_multipart(form(*[field("a", "")] * 1001), TYPE, "vendor")
    with pytest.raises(TooComplexError):
        field_of_multipart(form(field("a" * 513, "")), TYPE, "vendor")
    with pytest.raises(ClientError):
        field_of_multipart(form(field("vendor", "x" * 5000)), TYPE, "vendor")
    with pytest.raises(AmbiguousKeyError):
        field_of_multipart(form(field("a" * 9000, "")), TYPE, "vendor")
