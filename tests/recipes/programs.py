"""The generators that build the tiny sites; run as a script, brings those that the registries give.

They are below .venv/recipes, and gone with it; nothing is installed outside. A generator that cannot be had is
skipped by its check, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

OWN = Path(sys.prefix) / "recipes"
SITES = Path(__file__).with_name("sites")
PYTHON = OWN / "python" / "bin" / "python"
PYTHON_PACKAGES = ("hugo", "mkdocs-material", "sphinx", "pelican[markdown]")
NODE = ("eleventy", "astro", "next", "docusaurus")
"""Their folders have a package.json."""
PHP = OWN / "php"
RUBY = OWN / "jekyll"
OF_RUBY = ("ruby", "jekyll", "libruby", "libyaml", "libffi", "libgmp", "libsass", "libmarkdown", "libyajl")
"""How the names of those packages begin that Jekyll needs and a Debian without Ruby lacks."""
LIMIT = 900
"""Seconds for one step."""
_JEKYLL = """
$LOADED_FEATURES << "sassc.rb" # it is at a fixed path, and the tiny site has no Sass
module SassC; end
require "jekyll"
Jekyll::Commands::Build.process("source" => ARGV[0], "destination" => ARGV[1], "config" => ["#{ARGV[0]}/_config.yml"])
"""


def php() -> str:
    """Return the path of a PHP that starts; skip the check if there is none."""
    paths = (shutil.which("php"), *map(str, sorted(PHP.glob("usr/bin/php?.?"))))
    path = next((path for path in paths if path and not run([path, "-n", "-v"])[0]), None)
    if path is None:
        pytest.skip("no PHP: `python -m tests.recipes.programs` brings one")
    return path


def build(name: str, site: Path, output: Path) -> tuple[int, str]:
    """Build a site with its generator; return the exit code and what was printed. Skips without the generator."""
    module = [str(PYTHON), "-m"]
    commands = {
        "hugo": [str(PYTHON.with_name("hugo")), "--source", ".", "--destination", str(output)],
        "mkdocs": [*module, "mkdocs", "build", "--strict", "--site-dir", str(output)],
        "sphinx": [*module, "sphinx", "-W", "-b", "dirhtml", ".", str(output)],
        "pelican": [
            *module,
            "pelican",
            "content",
            "-s",
            "pelicanconf.py",
            "--fatal",
            "errors",
            "-o",
            str(output),
        ],
        "eleventy": ["npx", "--no-install", "eleventy", f"--output={os.path.relpath(output, site)}"],
        "astro": ["npx", "--no-install", "astro", "build", "--outDir", str(output)],
        "next": ["npx", "--no-install", "next", "build"],
        "docusaurus": ["npx", "--no-install", "docusaurus", "build", "--out-dir", str(output)],
        "jekyll": [str(RUBY / "usr/bin/ruby"), "--disable-gems", "-e", _JEKYLL, ".", str(output)],
    }
    needed = {"jekyll": RUBY / "usr/bin/ruby"} | {one: OWN / one / "node_modules" for one in NODE}
    if not needed.get(name, PYTHON).exists():
        pytest.skip(f"no {name}: `python -m tests.recipes.programs` brings it")
    result = run(commands[name], site, _ruby() if name == "jekyll" else _node())
    if name == "next":  # its output has one place
        shutil.copytree(site / "out", output, dirs_exist_ok=True)
    return result


def workplace(name: str) -> Path:
    """Return the folder in which a site is built: Node looks for its packages in the folders above."""
    return OWN / name / "site"


def _node() -> dict[str, str]:
    quiet = ("ASTRO_TELEMETRY_DISABLED", "NEXT_TELEMETRY_DISABLED", "DO_NOT_TRACK", "CI")
    return {**os.environ, **dict.fromkeys(quiet, "1")}


def _ruby() -> dict[str, str]:
    """Debian's Ruby looks for everything at fixed places; name those where it was unpacked."""
    gems = [
        *RUBY.glob("usr/share/rubygems-integration/*/gems/*/lib"),
        *RUBY.glob("usr/lib/ruby/gems/*/gems/*/lib"),
    ]
    nested = RUBY.glob("usr/share/rubygems-integration/all/gems/concurrent-ruby-*/lib/*")
    core = [
        *RUBY.glob("usr/lib/ruby/*"),
        *RUBY.glob("usr/lib/*/ruby/[0-9v]*"),
        *RUBY.glob("usr/lib/*/ruby/vendor_ruby/*"),
        *RUBY.glob("usr/lib/*/rubygems-integration/*/gems/*/lib"),
        *RUBY.glob("usr/lib/*/rubygems-integration/*/extensions/*/*/*"),
    ]
    libraries = ":".join(map(str, RUBY.glob("usr/lib/*-linux-*")))
    return {
        **os.environ,
        "LD_LIBRARY_PATH": libraries,
        "RUBYLIB": ":".join(map(str, [*core, *gems, *nested])),
    }


def run(
    command: list[str], folder: Path | None = None, variables: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run a command; return its exit code, 1 if it cannot be run, and what it printed."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, cwd=folder, env=variables, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout + done.stderr


def _bring() -> list[str]:
    """Fetch what is missing; return what happened, in a line each."""
    results = [("Python's", _bring_python())]
    results += [(name, _bring_node(name)) for name in NODE]
    results += [("PHP", _bring_php()), ("Jekyll", _bring_jekyll())]
    return [
        f"{name}: {(output.strip().splitlines() or ['?'])[-1] if code else 'there'}"
        for name, (code, output) in results
    ]


def _bring_python() -> tuple[int, str]:
    if PYTHON.with_name("pelican").exists():
        return 0, ""
    run([sys.executable, "-m", "venv", str(OWN / "python")])
    return run([str(PYTHON), "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES])


def _bring_node(name: str) -> tuple[int, str]:
    if (OWN / name / "node_modules").exists():
        return 0, ""
    (OWN / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(SITES / name / "package.json", OWN / name)
    return run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], OWN / name
    )


def _bring_php() -> tuple[int, str]:
    if shutil.which("php") or (PHP / "usr").exists():
        return 0, ""
    depends = run(["apt-cache", "depends", "--important", "php-cli"])[1].split()
    programs = [name for name in depends if name.endswith("-cli") and name != "php-cli"]
    return _unpack([*programs, "libargon2-1"], PHP)


def _bring_jekyll() -> tuple[int, str]:
    if (RUBY / "usr").exists():
        return 0, ""
    options = [
        f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    ]
    names = run(["apt-cache", "depends", "--recurse", *options, "jekyll"])[1].splitlines()
    return _unpack([name for name in names if name.startswith(OF_RUBY)], RUBY)


def _unpack(packages: list[str], place: Path) -> tuple[int, str]:
    """Download Debian's packages, and unpack them without installing them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # apt downloads as a user of its own
        result = run(["apt-get", "download", "-qq", *packages], Path(folder))
        for file in sorted(Path(folder).glob("*.deb")):
            run(["dpkg", "-x", str(file), str(place)])
    return result


if __name__ == "__main__":
    print("\n".join(_bring()))  # noqa: T201
