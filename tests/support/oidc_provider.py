"""Brings npm's `oidc-provider`, an OpenID provider independent of this project, and runs it for a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import missing

HERE = Path(__file__).parent / "oidc_server"
HOST = "127.0.0.2"
"""Another site than 127.0.0.1 and localhost, for a browser."""
CLIENT_ID, CLIENT_SECRET = "commentsvc", "a-secret-between-the-two-of-them"


def installed() -> Path:
    """Return a folder in which the provider can run; skips the test where it cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("npm's oidc-provider", "there is no node and npm on this machine")
    folder = Path(sys.prefix) / "oidc_server"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "server.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        command = [str(npm), "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            missing("npm's oidc-provider", done.stderr.strip() or "npm install failed")
    return folder


def free_port() -> int:
    """Return a port nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(port: int, redirect_uri: str, *, coop: str = "") -> Iterator[str]:
    """Run the provider; yields its issuer."""
    issuer = f"http://{HOST}:{port}"
    command = ["node", "server.mjs", str(port), issuer, redirect_uri, *([coop] if coop else [])]
    with subprocess.Popen(
        command, cwd=installed(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == "ready":
                    break
            yield issuer
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def offered(url: str, *, coop: str = "") -> Iterator[dict[str, str]]:
    """Run the provider for the service at `url`; yields the variables by which the service offers it."""
    port = free_port()
    with running(port, f"{url}/login/callback/oidc_test", coop=coop) as issuer:
        yield {
            "COMMENTSVC_OIDC_TEST_ISSUER": issuer,
            "COMMENTSVC_OIDC_TEST_CLIENT_ID": CLIENT_ID,
            "COMMENTSVC_OIDC_TEST_CLIENT_SECRET": CLIENT_SECRET,
            "COMMENTSVC_OIDC_TEST_LABEL": "Example ID",
        }
