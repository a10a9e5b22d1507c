"""What is deployed from the repository: the image's recipe, compose.yaml, the unit for systemd."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commentsvc.cli.serve import BIND
from tests.conftest import environment
from tests.support import nginx, processes

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "commentsvc.service"
PORT = BIND.rpartition(":")[2]
EXPOSURE_MOST = 3.0
"""Of systemd's 10; the check of `systemd-analyze security`."""


def instructions(*names: str) -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile that have one of these names, all if there is none."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    every = [(line.split()[0], line.partition(" ")[2]) for line in joined.splitlines() if line.strip()]
    return [one for one in every if one[0] in names or not names]


def healthcheck() -> list[str]:
    ((_, text),) = instructions("HEALTHCHECK")
    command = json.loads(text.partition("CMD ")[2])
    assert isinstance(command, list)
    return command


def test_the_image_runs_as_a_user_of_its_own_and_of_group_0() -> None:
    (*_, last) = instructions("USER", "RUN", "COPY")
    assert last[0] == "USER", "what comes after it would run as that user"
    assert re.fullmatch(r"[1-9]\d{3,}:0", last[1]), "a number, which Kubernetes can check"
    assert any("-m 0770" in text and text.endswith("-g 0 /data") for _, text in instructions("RUN"))


def test_the_image_is_for_every_architecture_and_fetches_only_packages() -> None:
    assert {text.split(" AS ")[0] for _, text in instructions("FROM")} == {"python:${PYTHON}-slim"}
    assert instructions("ADD") == []
    text = (ROOT / "Dockerfile").read_text()
    assert not re.search(r"https?://|curl|wget|apt|amd64|x86|arm64|aarch64|--platform", text)
    (install,) = (text for _, text in instructions("RUN") if "pip install" in text)
    assert " -c constraints.txt" in install


def test_the_image_starts_the_service_without_a_shell_that_would_take_its_signals() -> None:
    words = [json.loads(text) for _, text in instructions("ENTRYPOINT", "CMD")]
    assert words == [["commentsvc"], ["serve", "--bind", f"0.0.0.0:{PORT}"]]
    assert instructions("EXPOSE") == [("EXPOSE", PORT)]


def test_the_image_is_built_from_what_is_copied_and_nothing_else() -> None:
    copied = [text.split()[:-1] for _, text in instructions("COPY") if not text.startswith("--from")]
    sources = {name for names in copied for name in names}
    assert all((ROOT / name).exists() for name in sources)
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == sources


def test_the_health_check_asks_the_service(tmp_path: Path) -> None:
    port = processes.free_port()
    name, *arguments = healthcheck()
    assert name == "python"
    command = [sys.executable, *(word.replace(PORT, str(port)) for word in arguments)]
    assert command[1:] != arguments

    def check() -> int:
        return subprocess.run(command, capture_output=True, check=False).returncode

    serve = ["-m", "commentsvc", "serve", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *serve):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        assert check() == 0
    assert check() == 1


def test_compose_keeps_the_port_for_this_machine_and_the_root_read_only() -> None:
    text = (ROOT / "compose.yaml").read_text()
    comments = text.partition("  comments:\n")[2].partition("\n  caddy:\n")[0]
    for line in (
        f'- "127.0.0.1:{PORT}:{PORT}"',
        "read_only: true",
        "tmpfs: /tmp",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "- data:/data",
    ):
        assert f"    {line}\n" in comments, line
    (trusted,) = re.findall(r"COMMENTSVC_TRUSTED_PROXIES: (\S+)", comments)
    assert f"- subnet: {trusted}\n" in text


def test_the_proxy_of_compose_is_the_documented_one() -> None:
    documented = nginx.example(ROOT / "docs" / "serving.md", "reverse_proxy", {}, language="")
    expected = documented.replace("comments.example", "{$COMMENTSVC_BASE_URL}")
    expected = expected.replace(BIND, f"comments:{PORT}")
    lines = (ROOT / "deploy" / "Caddyfile").read_text().splitlines(keepends=True)
    assert "".join(line for line in lines if not line.startswith("#")) == expected


def test_the_unit_allows_the_service_what_it_needs_and_no_more() -> None:
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    for line in (
        "User=commentsvc",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "StateDirectoryMode=0700",
        "KillMode=mixed",
    ):
        assert line in lines


def test_systemd_finds_little_to_complain_about() -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is missing: it belongs to the package systemd")
    done = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for commentsvc.service: (\d+\.\d)", done.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze cannot tell: {done.stderr.strip()[:200]}")
    assert float(found[1]) < EXPOSURE_MOST
