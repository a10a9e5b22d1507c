"""The wheel, installed in an environment of its own that has what the wheel asks for and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from commentsvc.config import PREFIX

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installation:
    """An environment in which the wheel is."""

    wheel: Path
    scripts: Path

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a shell on a machine without any of our variables and without this checkout."""
        bare = {
            name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "PYTHONPATH"))
        }
        return bare | {"PATH": f"{self.scripts}{os.pathsep}{os.environ['PATH']}"}

    def run(self, folder: Path, *command: str) -> str:
        """Run a command of the environment in `folder`, which must succeed; return its standard output."""
        done = subprocess.run(
            [str(self.scripts / command[0]), *command[1:]],
            cwd=folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def install(folder: Path) -> Installation:
    """Build the wheel and install it in a new environment; asks no index."""
    _run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist"))
    (wheel,) = (folder / "dist").glob("*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _run(*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (ours,) = packages.glob("commentsvc-*.dist-info")
    _link_requirements(metadata.Distribution.at(ours), packages)
    return Installation(wheel, python.parent)


def _link_requirements(distribution: metadata.Distribution, packages: Path) -> None:
    """Link what a distribution needs, and what that needs, from this Python's packages."""
    for line in distribution.requires or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        needed = metadata.distribution(requirement.name)
        names = {file.parts[0] for file in needed.files or []} - {"..", "__pycache__"}
        missing = [name for name in names if not (packages / name).exists()]
        for name in missing:
            (packages / name).symlink_to(Path(str(needed.locate_file(name))))
        if missing:
            _link_requirements(needed, packages)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
