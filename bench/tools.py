"""The other programs of the benchmark: wrk and nginx from Debian, Isso from PyPI; downloaded once to bench/.work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.load import Wrk

WORK = Path(__file__).parent / ".work"
PINS = Path(__file__).parent / "isso.txt"
_MODULES = ("libnginx-mod-http-brotli-filter",)
_LUAJIT = "libluajit-5.1-2"
_MODULE = "ngx_http_brotli_filter_module.so"


@dataclass(frozen=True)
class Nginx:
    """nginx and its brotli module."""

    path: str
    brotli: str
    version: str


def wrk() -> Wrk:
    """Return the installed wrk, or download it; raises NotRunningError if that fails."""
    if path := shutil.which("wrk"):
        return Wrk((path,))
    program = _fetched("wrk", "usr/bin/wrk")
    if _starts([program]):
        return Wrk((str(program),))
    # The packages that apt-get would install with it.
    folders = _fetched(_LUAJIT, "usr/lib").glob("*-linux-*")
    started = ("env", f"LD_LIBRARY_PATH={':'.join(map(str, folders))}", str(program))
    if not _starts(started):
        raise processes.NotRunningError("wrk, as Debian has it, does not start here; please install it")
    return Wrk(started)


def _starts(command: Sequence[str | Path]) -> bool:
    """Whether its libraries are installed, so that wrk prints its usage."""
    done = subprocess.run([*command, "-v"], capture_output=True, text=True, check=False)  # noqa: S603
    return "wrk" in done.stdout


def nginx() -> Nginx:
    """Return the installed nginx with its module, or download them."""
    path, module = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin"), None
    if path:
        module = next((one for one in Path("/usr/lib/nginx/modules").glob(_MODULE)), None)
    if path is None or module is None:
        path = str(_fetched("nginx", "usr/sbin/nginx"))
        module = _fetched(_MODULES[0], f"usr/lib/nginx/modules/{_MODULE}")
    version = processes.run(["sh", "-c", '"$0" -v 2>&1', path]).strip().rpartition("/")[2].split()[0]
    return Nginx(path, str(module), version)


def isso() -> Path:
    """Return the folder of programs of a virtual environment with the Isso and gunicorn that isso.txt pins."""
    home, stamp = WORK / "isso", WORK / "isso" / "pins.txt"
    if not stamp.exists() or stamp.read_text() != PINS.read_text():
        shutil.rmtree(home, ignore_errors=True)
        processes.run([sys.executable, "-m", "venv", home])
        install: list[str | Path] = [
            home / "bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        processes.run([*install, "-r", PINS])
        stamp.write_text(PINS.read_text())
    return home / "bin"


def isso_version() -> str:
    """Return the version that isso.txt pins."""
    return next(
        line.partition("==")[2] for line in PINS.read_text().splitlines() if line.startswith("isso==")
    )


def _fetched(package: str, path: str) -> Path:
    """Unpack a Debian package without installing it; return a file of it."""
    home = WORK / "debian" / package
    if not (home / path).exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        try:
            processes.run(["apt-get", "download", package], cwd=home)
            processes.run(["dpkg", "-x", next(home.glob("*.deb")), home])
        except (OSError, processes.NotRunningError) as error:
            raise processes.NotRunningError(
                f"{package} is neither installed nor to be had from Debian: {error}"
            ) from None
    return home / path
