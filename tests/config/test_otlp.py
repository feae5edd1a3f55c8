"""Where metrics are pushed to: read, and every mistake named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, Loaded, load

BASE: dict[str, Any] = {"shards": {"one": "http://127.0.0.1:1"}, "rules": {"GET /any": {"rule": "any"}}}


def read(folder: Path, otlp: Any, **environment: str) -> Loaded:
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump(BASE | ({} if otlp is None else {"otlp": otlp})))
    return load(file, environment)


def test_without_it_nothing_is_pushed(tmp_path: Path) -> None:
    assert read(tmp_path, None).push is None


def test_the_path_and_the_port_have_defaults(tmp_path: Path) -> None:
    push = read(tmp_path, {"url": "http://collector"}).push
    assert push is not None
    assert (push.host, push.port, push.path, push.is_tls) == ("collector", 4318, "/v1/metrics", False)
    push = read(tmp_path, {"url": "https://[::1]/otlp/v1/metrics?tenant=a"}).push
    assert push is not None
    assert (push.host, push.port, push.path, push.is_tls) == ("::1", 443, "/otlp/v1/metrics?tenant=a", True)


def test_the_environment_says_where_to(tmp_path: Path) -> None:
    push = read(tmp_path, None, SHARDGATE_OTLP_URL="http://127.0.0.1:4318", SHARDGATE_OTLP_EVERY_S="5").push
    assert push is not None
    assert (push.host, push.every_s) == ("127.0.0.1", 5)


def test_headers_come_from_a_variable_or_a_file(tmp_path: Path) -> None:
    url = "https://otlp.example.com"
    push = read(tmp_path, {"url": url, "headers_env": "OTLP"}, OTLP="api-key=a%20b=, x-tenant = 7").push
    assert push is not None
    assert push.headers == {"api-key": "a b=", "x-tenant": "7"}
    (tmp_path / "headers").write_text("authorization=Basic%20YTpi\n")
    push = read(tmp_path, {"url": url, "headers_file": "headers"}).push
    assert push is not None
    assert push.headers == {"authorization": "Basic YTpi"}


def test_a_variable_of_the_gateways_own_prefix_may_have_the_headers(tmp_path: Path) -> None:
    given = {"url": "https://otlp.example.com", "headers_env": "SHARDGATE_PUSH_HEADERS"}
    push = read(tmp_path, given, SHARDGATE_PUSH_HEADERS="a=b").push
    assert push is not None
    assert push.headers == {"a": "b"}


@pytest.mark.parametrize(
    ("otlp", "said"),
    [
        ({"url": "collector:4318"}, "is no address of a receiver"),
        ({"url": "grpc://collector:4317"}, "is no address of a receiver"),
        ({"url": "http://"}, "is no address of a receiver"),
        ({"url": "http://collector:99999"}, "is no address of a receiver"),
        ({"url": "http://collector:0"}, "is no address of a receiver"),
        ({"url": "http://collector/a b"}, "is no address of a receiver"),
        ({"url": "http://user:secret@collector"}, "a user or a fragment"),
        ({"url": "https://collector", "headers_env": "NONE"}, "there is no variable NONE"),
        ({"url": "https://collector", "headers_env": "OTLP", "headers_file": "x"}, "keep one of the two"),
        ({"url": "https://collector", "headers_file": "missing"}, "the file cannot be read"),
        ({"url": "http://collector", "headers_env": "OTLP"}, "travel in the clear"),
        ({"url": "https://collector", "ca": "missing.pem"}, "does not exist"),
        ({"url": "https://collector", "every_s": 0}, "every_s"),
        ({"url": "https://collector", "evry_s": 5}, "evry_s"),
        ({}, "url"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, otlp: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, otlp, OTLP="api-key=s3cret")
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert all(mistake.path.count("otlp") for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    "text", ["no equals sign", "a=b\x00", "a=%0d%0ahost: evil", "content-length=5", "bad name=1", "a="]
)
def test_headers_that_are_none_are_refused_without_being_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, {"url": "https://collector", "headers_env": "OTLP"}, OTLP=text)
    assert "it names no header fields" in str(caught.value)
    assert text not in str(caught.value)
