"""Finds a Chromium for the browser tests; run as a script, brings one where it can.

Always exits 0: the tests themselves say what they miss, and in CI fail for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
PACKAGES = ("chromium", "fonts-liberation")
PATIENCE = 900
"""Seconds for one attempt at an installation."""

_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def find() -> str | None:
    """Return the path of a Chromium that starts: the system's, or the one Playwright keeps for itself."""
    candidates = [shutil.which(name) for name in NAMES] + [str(MAC) if MAC.exists() else None]
    return next((path for path in candidates if path and _starts(path)), None) or _playwrights_own()


def bring() -> str:
    """Install a Chromium unless there is one; return what happened in a sentence."""
    if result := find():
        return f"Chromium for the browser tests: {result}"
    reasons = []
    for way, commands in _ways().items():
        reason = next((fault for command in commands if (fault := run(command))), None)
        if reason is None and (result := find()):
            return f"Chromium for the browser tests: {result}, installed with {way}"
        reasons.append(f"{way}: {reason or 'it does not start'}")
    return f"No Chromium for the browser tests ({'; '.join(reasons)}); they will be skipped"


def _ways() -> dict[str, list[list[str]]]:
    ways = {}
    if shutil.which("apt-get") and os.geteuid() == 0:
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES]
        ways["apt-get"] = [["apt-get", "update", "-qq"], install]
    ways["playwright"] = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    return ways


def run(command: list[str]) -> str | None:
    """Run a command; return None, or in one line why it failed."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, env=quiet, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {done.returncode}"


def _starts(path: str) -> bool:
    """Whether it is more than a stub that would like to install something else."""
    return Path(path).exists() and run([path, "--version"]) is None


def _playwrights_own() -> str | None:
    try:
        done = subprocess.run(
            [sys.executable, "-c", _OWN], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    path = done.stdout.strip()
    return path if done.returncode == 0 and path and _starts(path) else None


if __name__ == "__main__":
    print(bring())  # noqa: T201
