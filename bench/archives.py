"""Measures the archive and the move: time and most memory of export, verify, restore, move and the other formats.

It fills a SQLite database with comments that have decisions, in articles of a hundred, and runs the commands on it. The
restored database is empty before; its archive is compared with the first one.

    python bench/archives.py
    python bench/archives.py --comments 20000
    python bench/archives.py --postgresql postgresql://me@localhost/empty
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

COMMENTS = 150_000
PER_ARTICLE = 100
SEED = 2026
BATCH = 1000
COMMAND = [sys.executable, "-m", "commentsvc"]
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
WORDS = (
    "thanks",
    "for",
    "this",
    "*article*",
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


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of a service in a folder."""
    return {
        **os.environ,
        "COMMENTSVC_DATA_DIR": str(folder),
        "COMMENTSVC_BASE_URL": "http://127.0.0.1:8600",
        "COMMENTSVC_SECRET_KEY": random.SystemRandom().randbytes(32).hex(),
        "COMMENTSVC_LOG_LEVEL": "ERROR",
    }


def run(variables: dict[str, str], *words: str) -> tuple[float, int]:
    """Run a command; return the seconds that it took, and the most memory in bytes."""
    began = time.perf_counter()
    process = subprocess.Popen([*COMMAND, *words], env=variables, stdout=subprocess.DEVNULL)  # noqa: S603
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} failed.")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def measure(label: str, variables: dict[str, str], words: list[str]) -> None:
    """Run a command, and print what it took."""
    seconds, memory = run(variables, *words)
    sys.stdout.write(f"{label:20} {seconds:6.1f} s {memory >> 20:5} MB at most\n")
    sys.stdout.flush()


def fill(variables: dict[str, str], comments: int) -> None:
    """Write the comments, two of three of them replies, with one decision each."""
    from sqlalchemy import insert, select
    from sqlalchemy.orm import Session

    from commentsvc import create_app
    from commentsvc.config import Settings
    from commentsvc.db.session import begin_write, db
    from commentsvc.models import Comment, Decision, Site, Thread

    chance = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    app = create_app(
        Settings.from_env({name: text for name, text in variables.items() if name.startswith("COMM")})
    )
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        site_id = session.scalars(select(Site.id)).one()
        articles = max(comments // PER_ARTICLE, 1)
        addresses = [f"https://blog.example/{number}/" for number in range(articles)]
        threads = [{"site_id": site_id, "key": address, "url": address} for address in addresses]
        session.execute(insert(Thread.__table__), threads)  # type: ignore[arg-type]
        for start in range(0, comments, BATCH):
            numbers = range(start + 1, min(start + BATCH, comments) + 1)
            rows = [_comment(number, articles, site_id, chance) for number in numbers]
            session.execute(insert(Comment.__table__), rows)  # type: ignore[arg-type]
            decisions = [{"comment_id": row["id"], "status": row["status"], "reasons": []} for row in rows]
            session.execute(insert(Decision.__table__), decisions)  # type: ignore[arg-type]
        session.commit()


def _comment(number: int, articles: int, site_id: int, chance: random.Random) -> dict[str, Any]:
    from commentsvc.domain.comments import comment_text
    from commentsvc.models import Status, TextFormat

    text = f"{' '.join(chance.choices(WORDS, k=chance.randint(5, 80)))} {number}"
    parent = number - articles if number % 3 and number > articles else None
    return {
        "id": number,
        "site_id": site_id,
        "thread_id": (number - 1) % articles + 1,
        "parent_id": parent,
        "root_id": parent,
        "depth": 1 if parent else 0,
        "status": Status.SPAM if number % 40 == 0 else Status.APPROVED,
        "shown": number % 40 != 0,
        "format": TextFormat.MARKDOWN,
        "source": text,
        "html": f"<p>{text}</p>",  # nobody reads it: a restore renders the text
        "renderer": 1,
        "digest": comment_text.digest_of(text),
        "guest_name": f"Reader {number % 999}",
        "guest_email": f"reader{number % 999}@mail.example",
        "created_at": BEGAN + timedelta(minutes=number),
    }


def main(comments: int, postgresql: str | None) -> None:
    with tempfile.TemporaryDirectory(prefix="commentsvc-bench-") as name:
        folder = Path(name)
        source, target = environment(folder / "source"), environment(folder / "target")
        run(source, "upgrade")
        run(source, "site", "add", "Blog", "https://blog.example")
        run(target, "upgrade")
        fill(source, comments)
        first, second = folder / "first.zip", folder / "second.zip"
        steps = (
            ("export, archive", source, ["export", "--output", str(first)]),
            ("archive verify", source, ["archive", "verify", str(first)]),
            ("restore, empty", target, ["restore", str(first)]),
            ("restore again", target, ["restore", str(first)]),
            ("export, again", target, ["export", "--output", str(second)]),
            ("export, wxr", source, ["export", "--site", "Blog", "--output", str(folder / "blog.xml")]),
            ("export, json", source, ["export", "--site", "Blog", "--output", str(folder / "blog.json")]),
            ("export, csv", source, ["export", "--site", "Blog", "--output", str(folder / "blog.csv")]),
        )
        for label, variables, words in steps:
            measure(label, variables, words)
        measure("move to SQLite", source, ["move", "--to", f"sqlite:///{folder / 'moved.sqlite'}"])
        if postgresql:
            run(source, "move", "--cancel")
            measure("move to PostgreSQL", source, ["move", "--to", postgresql])
            moved = source | {"COMMENTSVC_DATABASE_URL": postgresql}
            measure("move to SQLite, back", moved, ["move", "--to", f"sqlite:///{folder / 'back.sqlite'}"])
        size = first.stat().st_size >> 20
        same = _parts(first) == _parts(second)
        sys.stdout.write(
            f"{comments:,} comments, {size} MB; both archives {'are equal' if same else 'DIFFER'}\n"
        )


def _parts(path: Path) -> dict[str, int]:
    """Return the checksum of each part of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {
            entry.filename: entry.CRC for entry in archive.infolist() if entry.filename != "manifest.json"
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--comments", type=int, default=COMMENTS)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database, to move there and back")
    arguments = parser.parse_args()
    main(arguments.comments, arguments.postgresql)
