"""Metrics are pushed at an interval and at the end; a receiver that fails is told of once."""

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from shardgate.config.otlp import MetricsPush
from shardgate.observe.layout import PUSH_FAILURES, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.observe.push import Pusher
from tests.observe.receiver import Receiver, receiving
from tests.waiting import wait_until

LAYOUT = Layout({}, 0).extended([], ["north"])


def to(receiver: Receiver, **changed: Any) -> MetricsPush:
    port = receiver.server.server_port
    push = MetricsPush("127.0.0.1", port, "/v1/metrics", False, 3600.0, 5.0, {}, {}, None)  # noqa: FBT003
    return msgspec.structs.replace(push, **changed)


class Pushing:
    """A pusher, and what it counts."""

    def __init__(self, where: MetricsPush) -> None:
        self.memory = SharedMemory.roomy(LAYOUT.size)
        self.cells = self.memory.slot(0)
        self.pusher = Pusher(where, LAYOUT, self.memory, self.cells)
        self.pusher.start()

    @property
    def failures(self) -> int:
        return self.cells[LAYOUT.cell(PUSH_FAILURES)]


def test_the_last_push_comes_at_the_end() -> None:
    with receiving() as receiver:
        pushing = Pushing(to(receiver))
        assert receiver.came == []
        pushing.pusher.close()
        (pushed,) = receiver.came
    assert pushed.path == "/v1/metrics"
    assert pushed.headers["content-type"] == "application/x-protobuf"
    assert pushed.headers["content-encoding"] == "gzip"
    assert pushed.body
    assert pushing.failures == 0


def test_they_are_pushed_again_and_again() -> None:
    with receiving() as receiver:
        pushing = Pushing(to(receiver, every_s=0.01))
        wait_until(lambda: len(receiver.came) >= 3)
        pushing.pusher.close()


def test_the_receiver_gets_its_headers_and_the_log_does_not(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        receiver.status, receiver.says = 401, b"the key s3cret is wrong"
        Pushing(to(receiver, headers={"x-api-key": "s3cret"})).pusher.close()
        assert receiver.came[0].headers["x-api-key"] == "s3cret"
    assert "it replied 401" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_failure_is_one_line_and_its_end_another(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with receiving() as receiver:
        receiver.status = 503
        pushing = Pushing(to(receiver, every_s=0.01))
        wait_until(lambda: pushing.failures >= 3)
        receiver.status = 200
        wait_until(lambda: "again" in caplog.messages[-1].rpartition("to")[2])
        pushing.pusher.close()
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_points_that_are_not_taken_are_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        receiver.says = b"\x0a\x02\x08\x03"  # partial_success {rejected_data_points: 3}
        Pushing(to(receiver)).pusher.close()
        receiver.says = b"\x0a\x00"
        good = Pushing(to(receiver))
        good.pusher.close()
    assert caplog.text.count("it did not take all of them") == 1
    assert good.failures == 0


def test_nobody_there_is_a_failure_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        where = to(receiver)
    pushing = Pushing(where)
    pushing.pusher.close()
    assert pushing.failures == 1
    assert "Connection refused" in caplog.text


def test_a_receiver_that_is_silent_holds_up_the_end_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shardgate.observe.push.LAST_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = MetricsPush("127.0.0.1", silent.getsockname()[1], "/", False, 3600.0, 60.0, {}, {}, None)  # noqa: FBT003
        pushing = Pushing(where)
        pushing.pusher.close()
        wait_until(lambda: pushing.failures == 1)


def test_what_is_sent_over_tls_goes_to_whom_the_authority_vouches_for(tmp_path: Path) -> None:
    authority = trustme.CA()
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    own = tmp_path / "own.pem"
    authority.cert_pem.write_to_path(own)
    with receiving() as receiver:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        trusting = Pushing(to(receiver, is_tls=True, ca=own))
        trusting.pusher.close()
        doubting = Pushing(to(receiver, is_tls=True, ca=other))
        doubting.pusher.close()
        assert (trusting.failures, doubting.failures) == (0, 1)
        assert len(receiver.came) == 1


def test_it_is_packed() -> None:
    with receiving() as receiver:
        Pushing(to(receiver)).pusher.close()
        (pushed,) = receiver.came
    assert int(pushed.headers["content-length"]) < len(pushed.body) / 3
