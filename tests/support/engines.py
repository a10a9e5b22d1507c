"""Finds Firefox and WebKitGTK for the tests in further engines; run as a script, brings them where it can.

Always exits 0: the tests themselves say what they miss, and in CI on Debian fail for it.
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from tests.support.chromium import run

PACKAGES = {"Firefox": ("firefox-esr",), "WebKitGTK": ("webkit2gtk-driver", "xvfb")}
MAC = Path("/Applications/Firefox.app/Contents/MacOS/firefox")
MINI_BROWSERS = ("/usr/lib/*/webkitgtk-6.*/MiniBrowser", "/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
"""Where Debian puts the browser that comes with WebKitGTK."""


def find(engine: str) -> str | None:
    """Return the path of the engine's browser."""
    return _firefox() if engine == "Firefox" else _webkit()


def bring(engine: str) -> str:
    """Install an engine unless it is there; return what happened in a sentence."""
    if result := find(engine):
        return f"{engine} for the browser tests: {result}"
    reason = _install(PACKAGES[engine])
    if result := find(engine):
        return f"{engine} for the browser tests: {result}, installed with apt-get"
    return f"No {engine} for the browser tests ({reason or 'it does not start'}); they will be skipped"


def on_debian() -> bool:
    """Whether this system has the packages."""
    try:
        return platform.freedesktop_os_release().get("ID") == "debian"
    except OSError:
        return False


def _firefox() -> str | None:
    candidates = [shutil.which("firefox-esr"), shutil.which("firefox"), str(MAC) if MAC.exists() else None]
    return next((path for path in candidates if path and run([path, "--version"]) is None), None)


def _webkit() -> str | None:
    if not shutil.which("WebKitWebDriver") or not shutil.which("Xvfb"):
        return None
    return next((str(path) for place in MINI_BROWSERS for path in Path("/").glob(place[1:])), None)


def _install(packages: tuple[str, ...]) -> str | None:
    """Install packages; return None, or in one line why it did not work."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return "only root can install it, on a system with apt-get"
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    return run(["apt-get", "update", "-qq"]) or run(install)


if __name__ == "__main__":
    for each in PACKAGES:
        print(bring(each))  # noqa: T201
