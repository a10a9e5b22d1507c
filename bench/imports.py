"""Measures an import: comments a second, the most memory, and how long readers wait meanwhile.

It writes a Disqus export of as many comments as asked into a temporary folder, starts a service with SQLite, and
imports the file while a reader asks for one article after another, ten times a second.

    python bench/imports.py
    python bench/imports.py --comments 20000
"""

from __future__ import annotations

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMENTS = 150_000
PER_ARTICLE = 100
SEED = 2026
PAUSE = 0.1
COMMAND = [sys.executable, "-m", "commentsvc"]
WORDS = (
    "thanks",
    "for",
    "this",
    "article",
    "it",
    "works",
    "here",
    "too",
    "but",
    "only",
    "after",
    "an",
    "update",
)


def write_export(path: Path, comments: int) -> None:
    """Write an export in which two of three comments are replies and one of five has a link."""
    chance = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    articles = max(comments // PER_ARTICLE, 1)
    with path.open("w") as file:
        file.write('<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">\n')
        for number in range(articles):
            link = f"https://blog.example/{number}/"
            file.write(
                f'<thread dsq:id="{number}"><link>{link}</link><title>Article {number}</title></thread>\n'
            )
        for number in range(comments):
            file.write(_post(number, articles, chance))
        file.write("</disqus>\n")


def _post(number: int, articles: int, chance: random.Random) -> str:
    text = " ".join(chance.choices(WORDS, k=chance.randint(5, 80)))
    link = ' <a href="https://other.example/page" rel="nofollow">there</a>' if number % 5 == 0 else ""
    is_reply = number % 3 and number >= articles
    parent = f'<parent dsq:id="{number - articles + 1_000_000}"/>' if is_reply else ""
    minute = f"{number // 60 % 24:02}:{number % 60:02}"
    return (
        f'<post dsq:id="{number + 1_000_000}"><message><![CDATA[<p>{text} {number}{link}</p>]]></message>'
        f"<createdAt>2019-{1 + number % 12:02}-{1 + number % 28:02}T{minute}:00Z</createdAt>"
        f"<isDeleted>false</isDeleted><isSpam>{'true' if number % 40 == 0 else 'false'}</isSpam>"
        f'<author><name>Reader {number % 999}</name></author><thread dsq:id="{number % articles}"/>{parent}</post>\n'
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(environment: dict[str, str], address: str) -> Iterator[None]:
    """Run the service until the end of the block."""
    command = [*COMMAND, "serve", "--bind", address.partition("://")[2]]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=silent, stderr=silent)  # noqa: S603
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(address, timeout=1).close()  # noqa: S310 - our own address
                break
            except OSError:
                time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


class Reader(threading.Thread):
    """Asks for an article again and again, and remembers how long each answer took, in seconds."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        self._address, self._ended = address, threading.Event()

    def run(self) -> None:
        number = 0
        while not self._ended.wait(PAUSE):
            number += 1
            url = f"{self._address}/thread?url=https://blog.example/{number % 50}/"
            began = time.perf_counter()
            try:
                urllib.request.urlopen(url, timeout=30).read()  # noqa: S310 - our own address
            except urllib.error.HTTPError as error:  # an article without comments yet
                error.close()
            self.waits.append(time.perf_counter() - began)

    def end(self) -> None:
        self._ended.set()
        self.join()


def run_import(path: Path, environment: dict[str, str]) -> tuple[float, int]:
    """Import the file; return the seconds that it took, and the most memory in bytes."""
    began = time.perf_counter()
    command = [*COMMAND, "import", str(path), "--site", "Blog"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit("The import failed.")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def main(comments: int) -> None:
    with tempfile.TemporaryDirectory(prefix="commentsvc-bench-") as folder:
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "COMMENTSVC_DATA_DIR": f"{folder}/data",
            "COMMENTSVC_BASE_URL": address,
            "COMMENTSVC_SECRET_KEY": random.SystemRandom().randbytes(32).hex(),
            "COMMENTSVC_LOG_LEVEL": "ERROR",
        }
        for words in (["upgrade"], ["site", "add", "Blog", "https://blog.example"]):
            subprocess.run([*COMMAND, *words], env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        path = Path(folder) / "export.xml"
        write_export(path, comments)
        with service(environment, address):
            reader = Reader(address)
            reader.start()
            seconds, memory = run_import(path, environment)
            reader.end()
        waits = sorted(reader.waits)
        sys.stdout.write(
            f"{comments:,} comments, {path.stat().st_size >> 20} MB: {seconds:.0f} s, "
            f"{comments / seconds:,.0f} a second, {memory >> 20} MB at most\n"
            f"{len(waits)} reads meanwhile: median {waits[len(waits) // 2] * 1000:.0f} ms, "
            f"longest {waits[-1] * 1000:.0f} ms\n"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--comments", type=int, default=COMMENTS)
    main(parser.parse_args().comments)
