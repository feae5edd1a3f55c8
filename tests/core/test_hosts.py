"""Where a host is, as far as its name says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.hosts import PostgresUrl, address_in, host_of, is_loopback, no_place, postgres_url


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io", "notlocalhost", "", "127.1"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_an_address_is_no_name() -> None:
    assert str(address_in("[fe80::1%eth0]")) == "fe80::1"
    assert address_in("example.com") is None


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a.b:80", "a.b"), ("A.b.", "a.b"), ("[::1]:9901", "::1"), ("[::1]", "::1"), ("10.0.0.1:1", "10.0.0.1"), ("", "")],
)
def test_the_host_of_a_field(authority: str, host: str) -> None:
    assert host_of(authority) == host


# The URL of a store. Found: a password with `?` or `#`, which libpq takes as it is, was shown whole; and parts of one
# with `@`, `/` or `%`.
SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:hunter2@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u:hunter2?@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u:#hunter2#@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u:x@hunter2@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u:x/hunter2@h:1/d", "postgresql://u:…@h:1/d"),
        ("postgresql://u:x/@hunter2?@h", "postgresql://u:…@h"),
        ("postgresql://u:100%hunter2@h,i:2/d?sslmode=require", "postgresql://u:…@h,i:2/d?sslmode=require"),
        ("postgresql://u:x?y=hunter2@h/d", "postgresql://u:…@h/d"),
        ("postgresql://u:x?hunter2@h/d?user=a", "postgresql://u:…@h/d?user=a"),
        ("postgresql://:hunter2@[::1]:5432/d", "postgresql://:…@[::1]:5432/d"),
        ("postgresql://u@h/d?password=hunter2&sslmode=require", "postgresql://u@h/d?password=…&sslmode=require"),
        ("postgresql://u@h/d?p%61ssword=hunter2", "postgresql://u@h/d?p%61ssword=…"),
        ("postgresql://u@h/d?pasword=hunter2", "postgresql://u@h/d?pasword=…"),
        ("postgresql://u@h/d?password=x&hunter2", "postgresql://u@h/d?password=…&…"),
        ("postgresql://u@h/d?password=x@hunter2", "postgresql://u@h/d?password=…"),
        ("postgresql://u@h/d?oauth_client_secret=hunter2", "postgresql://u@h/d?oauth_client_secret=…"),
        ("postgresql://u:hunter2", "postgresql://u:…"),
        ("postgresql://u:hunter2]", "postgresql://u:…"),  # found: shown whole, and so were the two below
        ("postgresql://u:/a:hunter2", "postgresql://u:…"),
        ("postgresql://u:1?host=hunter2@h", "postgresql://u:…@h"),
        ("postgres://:hunter2@h", "postgres://:…@h"),
        # Found: shown whole, as the rest of a database's name, of a user's, or of another parameter's value.
        ("postgresql://u@h/d;password=hunter2", "postgresql://u@h/d…"),
        ("postgresql://u@h/d&password=hunter2", "postgresql://u@h/d…"),
        ("postgresql://u@h/d password=hunter2", "postgresql://u@h/d…"),
        ("postgresql://u@h/d#password=hunter2", "postgresql://u@h/d…"),
        ("postgresql://h/d;password=hunter2", "postgresql://h…"),
        ("postgresql://h;password=hunter2", "postgresql://h…"),
        ("postgresql://h,i:1;password=hunter2", "postgresql://h…"),
        ("postgresql:///d;password=hunter2", "postgresql://…"),
        ("postgresql://u%3Ahunter2@h/d", "postgresql://u…@h/d"),
        ("postgresql://u%3Ahunter2", "postgresql://u…"),
        ("postgresql://u;hunter2@h/d", "postgresql://u…@h/d"),
        ("postgresql://u@hunter2@h/d", "postgresql://u…@h/d"),
        ("postgresql://u@h/d?sslmode=require;password=hunter2", "postgresql://u@h/d?sslmode=…"),
        ("postgresql://u@h/d?host=h%20password=hunter2", "postgresql://u@h/d?host=…"),
        ("postgresql://h/d?user=u:hunter2", "postgresql://h/d?user=…"),
        ("postgresql://h/d?host=u:hunter2@h", "postgresql://h/d?host=…"),
        ("postgresql://u@h/d?options=-c%20app.password%3Dhunter2", "postgresql://u@h/d?options=…"),
        ("postgresql://u@h/d?passfile=hunter2", "postgresql://u@h/d?passfile=…"),
        ("postgresql://u@h/d?sslpassword=hunter2", "postgresql://u@h/d?sslpassword=…"),
        ("postgresql://u@h/d? hunter2=x", "postgresql://u@h/d?…=…"),
    ],
)
def test_a_password_is_never_shown(text: str, shown: str) -> None:
    url = PostgresUrl(text)
    assert SECRET not in f"{url} {url!r} {url.name} {url.mistake}"
    assert str(url) == shown


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u@h/d",
        "postgresql://h",
        "postgresql://u@[::1]:5432,[fd00::2]:5433/d?target_session_attrs=read-write",
        "postgresql://h:5432/d?user=name@realm&options=-c%20geqo=off",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u@%2Frun%2Fpg/d",
        "postgresql://h:5432?sslmode=verify-full",
    ],
)
def test_a_url_without_a_password_is_shown_whole_and_has_no_mistake(text: str) -> None:
    assert str(PostgresUrl(text)) == text
    assert PostgresUrl(text).mistake == ""


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("postgresql://u:p@ss@h/d", "where the host begins"),
        ("postgresql://u:p/ss@h/d", "where the host begins"),
        ("postgresql://u:100%sure@h/d", "a % begins no character"),
        ("postgresql://u:a%00b@h/d", "a % begins no character"),
        ("postgresql://u:secret", "a port is no number"),
        ("postgresql://u@h/d;password=p", "where a name or a value ends"),
        ("postgresql://u@h/d?sslmode=require;password=p", "where a name or a value ends"),
        ("postgresql://u@h/d#x", "where a name or a value ends"),
    ],
)
def test_what_libpq_would_read_otherwise_is_told_with_the_cure(text: str, mistake: str) -> None:
    assert mistake in PostgresUrl(text).mistake
    assert {"write @ as %40", "write ; as %3B"} & {*re.findall("write [@;] as %..", PostgresUrl(text).mistake)}


@pytest.mark.parametrize("text", ["postgresql://u:a%40%2F%25%3A@h/d", "postgresql://u:a:b?c#d@h/d?sslmode=require"])
def test_a_password_that_libpq_reads_as_it_is_has_no_mistake(text: str) -> None:
    assert PostgresUrl(text).mistake == ""


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+asyncpg://u:hunter2@h/d",
        "PostgreSQL://u:hunter2@h/d",
        "mysql://u:hunter2@h/d",
        "host=h user=u password=hunter2",
        "password = 'hunter2' dbname=d",
        # Found: taken for the path of a file, which messages show.
        " postgresql://u:hunter2@h/d",
        "postgresql:/u:hunter2@h/d",
        "postgres:u:hunter2@h",
        "jdbc:postgresql://h/d?user=u&password=hunter2",
        "jdbc:postgresql:d?password=hunter2",
        "//u:hunter2@h/d",
        "u:hunter2@h:5432/d",
        "passfile=/x sslpassword=hunter2",
        "PGPASSWORD=hunter2",
        "Server=h;Database=d;User Id=u;Pwd=hunter2;",
        "file:x.db?password=hunter2",
    ],
)
def test_what_is_neither_a_file_nor_a_url_is_told_without_its_password(text: str) -> None:
    assert postgres_url(text) is None
    assert "postgresql://user@host/database" in no_place(text)
    assert SECRET not in no_place(text)


@pytest.mark.parametrize(
    "text", ["store.db", "/var/lib/shardgate/store.db", "a=b.db", "C:/x", "C:/x@y.db", "./user/x.db", "a@b:c.db"]
)
def test_the_path_of_a_file_is_one(text: str) -> None:
    assert no_place(text) == ""


@given(st.text(alphabet="ab1@/:?#%&=[],. ", max_size=8), st.text(alphabet="ab1@/:?#%&=[]", max_size=8))
def test_no_password_between_user_and_host_is_ever_shown(before: str, after: str) -> None:
    text = f"postgresql://u:{before}SECRET{after}@h/d"
    assert "SECRET" not in str(PostgresUrl(text))


@given(st.text(alphabet="ab@/:%&=[],. ", max_size=8), st.text(alphabet="ab/:%&=[], ", max_size=8))
def test_no_password_whose_host_was_forgotten_is_ever_shown(before: str, after: str) -> None:
    text = f"postgresql://u:{before.replace('@', ':')}SECRET{after}"
    assert "SECRET" not in str(PostgresUrl(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgresql://u:hunter2@h/d", 'invalid value: "hunter2"'),
        ("postgresql://u:hunter2%2F@h/d", 'invalid value: "hunter2/" or "hunter2%2F"'),
        ("postgresql://u@h/d?sslmode=%3Bhunter2", 'invalid sslmode value: ";hunter2"'),
        ("postgresql://u@h/d&password=hunter2", 'FATAL:  database "d&password=hunter2" does not exist'),
        ("postgresql://u%3Ahunter2@h/d", 'password authentication failed for user "u:hunter2"'),
    ],
)
def test_what_a_driver_says_has_no_part_of_what_is_hidden(text: str, told: str) -> None:
    """Found: libpq and the server repeat names and values, in which a password may stand."""
    assert SECRET not in PostgresUrl(text).scrubbed(told)
    assert PostgresUrl(text).scrubbed("the server is down") == "the server is down"
