"""Finds an nginx for the tests behind a proxy; run as a script, brings one where it can.

Always exits 0: the tests themselves say what they miss, and in CI fail for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support import processes

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
OWN = Path(sys.prefix) / "nginx"
"""Unpacked beside the packages of Python, and gone with them; nothing is installed."""
PACKAGES = ("nginx", "nginx-core", "nginx-light")
"""Which of them has the program differs from one Debian and Ubuntu to the next."""
_MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}
}}
"""


def find() -> str | None:
    """Return the path of an nginx that starts: the system's, or the one that was brought."""
    candidates = (shutil.which("nginx", path=PATH), str(OWN / "usr/sbin/nginx"))
    return next((path for path in candidates if path and _run([path, "-v"]) is None), None)


def bring() -> str:
    """Fetch an nginx unless there is one; return what happened in a sentence."""
    if result := find():
        return f"nginx for the tests behind a proxy: {result}"
    if not shutil.which("apt-get"):
        return "No nginx for the tests behind a proxy (there is no apt-get); they will be skipped"
    reason = _fetch()
    if reason and os.geteuid() == 0 and _run(["apt-get", "update", "-qq"]) is None:
        reason = _fetch()
    if result := find():
        return f"nginx for the tests behind a proxy: {result}, unpacked from its package"
    return f"No nginx for the tests behind a proxy ({reason or 'it does not start'}); they will be skipped"


def _fetch() -> str | None:
    """Download the packages in turn until one has the program; return why none does."""
    reason = None
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o777)  # apt downloads as a user of its own
            reason = _run(["apt-get", "download", "-qq", package], folder)
            for file in Path(folder).glob("*.deb"):
                reason = _run(["dpkg", "-x", str(file), str(OWN)])
        if (OWN / "usr/sbin/nginx").exists():
            return None
    return reason


def _run(command: list[str], folder: str | None = None) -> str | None:
    """Run a command; return None, or in one line why it failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    sentence = (done.stderr or done.stdout).strip().splitlines()
    return None if done.returncode == 0 else (sentence[-1] if sentence else f"exit code {done.returncode}")


def example(page: Path, containing: str, changes: Mapping[str, str], language: str = "nginx") -> str:
    """Return the configuration on a page of the documentation that has `containing`, changed where it must be.

    Every change must apply, or the test would try something else than the page says.
    """
    result = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    config = next(str(one) for one in result if containing in one)
    for old, new in changes.items():
        assert old in config, f"{page.name} has no {old!r}"
        config = config.replace(old, new)
    return config


@contextmanager
def serving(program: str, folder: Path, servers: str, port: int) -> Iterator[None]:
    """Nginx with these servers, one of which listens at `port`; what it says goes to its own output."""
    folder.mkdir(exist_ok=True)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(_MAIN.format(folder=folder, user=user, servers=servers))
    checked = subprocess.run(
        [program, "-t", "-p", str(folder), "-c", str(config)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "[emerg]" not in checked.stderr
    child = subprocess.Popen([program, "-p", str(folder), "-c", str(config)])
    try:
        processes.until(lambda: processes.listens(port), "nginx")
        yield
    finally:
        child.terminate()
        child.wait(processes.PATIENCE)


if __name__ == "__main__":
    print(bring())  # noqa: T201
