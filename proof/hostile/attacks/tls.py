"""TLS: certificates that are wrong, handshakes that never end, and what a scanner finds."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from typing import Any

from proof.data import ROOT
from proof.hostile.asking import Answer, request
from proof.hostile.attack import Attack, Outcome, told
from proof.hostile.stage import Stage
from proof.hostile.tls import TlsStage

_HELLO = bytes.fromhex("16030100f8010000f40303") + bytes(32)


async def _wrong_certificates(stage: Stage) -> Outcome:
    assert isinstance(stage, TlsStage)
    answers = {name: await stage.ask(request("GET", "/any"), tls=context) for name, context in stage.wrong().items()}
    good = await stage.ask(request("GET", "/any"), tls=stage.client)
    served = [name for name, answer in answers.items() if answer.status]
    findings = [f"served with a certificate that is {', '.join(served)}"] if served else []
    findings += [] if good.status == 200 else [f"a good one got {good.word}"]
    return Outcome(f"{len(answers) - len(served)} refused, {good.word}", tuple(findings))


async def _partial_handshakes(stage: Stage) -> Outcome:
    """500 clients that begin a handshake, and wait."""

    async def hello() -> Answer:
        async def message() -> AsyncIterator[bytes]:
            yield _HELLO
            await asyncio.Event().wait()

        return await stage.ask(message(), within_s=10.0)

    assert isinstance(stage, TlsStage)
    waiting = [asyncio.get_running_loop().create_task(hello()) for _ in range(500)]
    await asyncio.sleep(0.5)
    good = await stage.ask(request("GET", "/any"), tls=stage.client)
    answers = await asyncio.gather(*waiting)
    late = sum(answer.ended == "silent" for answer in answers)
    findings = [f"{late} handshakes not ended in time"] if late else []
    return Outcome(f"{len(answers) - late} cut, {good.word}", (*findings, *told([good], allowed=(200,)).findings))


async def _plain_bytes(stage: Stage) -> Outcome:
    """HTTP, noise, and records of odd kinds, where TLS is spoken."""
    messages = [
        request("GET", "/any"),
        b"\x16\x03\x01\xff\xff" + b"\0" * 70_000,
        b"\x15\x03\x03\x00\x02\x01\x00" * 9999,
        b"\x14\x03\x03\x00\x01\x01" * 9999,
        b"\x80\x2e\x01\x00\x02" + b"\0" * 99,
        b"\xff" * 99_999,
    ]
    return told([await stage.ask(message) for message in messages])


async def _many_handshakes(stage: Stage) -> Outcome:
    """300 whole handshakes, one after the other, thirty at a time."""
    assert isinstance(stage, TlsStage)
    answers: list[Answer] = []
    for _ in range(10):
        asked = (stage.ask(request("GET", "/any"), tls=stage.client) for _ in range(30))
        answers += await asyncio.gather(*asked)
    return told(answers, allowed=(200,))


async def _renegotiation(stage: Stage) -> Outcome:
    """`openssl s_client` asks for another handshake in TLS 1.2: it must be refused."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return Outcome("SKIPPED: there is no openssl")
    assert isinstance(stage, TlsStage)
    files = ["-cert", str(stage.client_file), "-key", str(stage.client_key)]
    command = [openssl, "s_client", "-connect", f"127.0.0.1:{stage.gateway.port}", "-tls1_2", *files]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdin is not None
    process.stdin.write(b"R\n")
    await process.stdin.drain()
    try:
        async with asyncio.timeout(6):
            assert process.stdout is not None
            said = await process.stdout.read()
    except TimeoutError:
        process.kill()
        said = b""
    await process.wait()
    refused = b"no renegotiation" in said or b"RENEGOTIATING" in said
    done = said.count(b"verify return") > 4
    return Outcome("refused" if refused and not done else "ended", ("renegotiated",) if done else ())


_SCANS = (
    "sslv2",
    "sslv3",
    "tlsv1",
    "tlsv1_1",
    "tlsv1_2",
    "tlsv1_3",
    "compression",
    "heartbleed",
    "robot",
    "openssl_ccs",
    "reneg",
)
_OLD = ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1")


async def _scan(stage: Stage) -> Outcome:
    """`sslyze`, where it is installed: no old protocol, no weak cipher, none of the known holes."""
    scanner = shutil.which("sslyze", path=f"{ROOT}/.venv-scan/bin") or shutil.which("sslyze")
    if scanner is None:
        return Outcome("SKIPPED: no sslyze (make scanner)")
    assert isinstance(stage, TlsStage)
    report = stage.folder / "sslyze.json"
    options = ["--mozilla_config=disable", f"--json_out={report}", *(f"--{scan}" for scan in _SCANS)]
    files = ["--cert", str(stage.client_file), "--key", str(stage.client_key)]
    process = await asyncio.create_subprocess_exec(
        str(scanner),
        *options,
        *files,
        f"localhost:{stage.gateway.port}",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if not report.exists():
        return Outcome("no report", (said.decode(errors="replace")[-200:],))
    return _judged(json.loads(report.read_bytes()))


def _judged(report: dict[str, Any]) -> Outcome:
    scan = report["server_scan_results"][0]["scan_result"]
    if scan is None:
        return Outcome("not scanned", ("the scanner could not connect",))
    results = {name: each["result"] for name, each in scan.items() if each.get("result") is not None}
    findings = [f"{name} accepted" for name in _OLD if results[f"{name}_cipher_suites"]["accepted_cipher_suites"]]
    suites = results["tls_1_2_cipher_suites"]["accepted_cipher_suites"]
    weak = [suite["cipher_suite"]["name"] for suite in suites if suite["cipher_suite"]["key_size"] < 128]
    findings += [f"weak cipher {name}" for name in weak]
    findings += ["heartbleed"] if results["heartbleed"]["is_vulnerable_to_heartbleed"] else []
    findings += ["CCS injection"] if results["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"] else []
    findings += ["compression"] if results["tls_compression"]["supports_compression"] else []
    findings += (
        ["renegotiation"] if results["session_renegotiation"]["is_vulnerable_to_client_renegotiation_dos"] else []
    )
    findings += ["ROBOT"] if "VULNERABLE" in results["robot"]["robot_result"].replace("NOT_VULNERABLE", "") else []
    return Outcome(f"{len(results)} scans, {len(suites)} ciphers of TLS 1.2", tuple(findings))


TLS: dict[str, Attack] = {
    "clients with a wrong certificate": Attack("", _wrong_certificates, stage="tls"),
    "500 handshakes that never end": Attack("", _partial_handshakes, stage="tls", slow=True),
    "bytes that are no TLS": Attack("", _plain_bytes, stage="tls"),
    "300 handshakes": Attack("", _many_handshakes, stage="tls"),
    "renegotiation": Attack("", _renegotiation, stage="tls"),
    "tls-scan": Attack("", _scan, stage="tls", slow=True),
}
