"""Isso as its documentation runs it in production: under gunicorn, here with 2 workers as ours.

Its table of comments has no index by article, so what one page costs grows with all comments there are. That is not
what is to be measured: for each piece of work it gets a database with that work's articles alone.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from bench import asking, material, processes, tools
from bench.material import Article

NAME = "Isso"
WORKERS = 2
NESTED = 5
"""Replies below one comment that its script asks for, by itself; no comment here has more."""

_CONFIG = """[general]
dbpath = {database}
host = {blog}/

[moderation]
enabled = false

[guard]
enabled = false
"""
_COMMENT = """INSERT INTO comments (tid, id, parent, created, mode, remote_addr, text, author, email, voters)
 VALUES (?, ?, ?, ?, 1, '127.0.0.0', ?, ?, ?, zeroblob(256))"""


class Isso:
    """The service; one database at a time, by name."""

    def __init__(self, folder: Path, blog: str) -> None:
        self._folder, self._blog = folder, blog
        self._programs = tools.isso()
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: processes.Server | None = None
        self.starts: list[float] = []
        """Seconds from each start to the first thread."""
        self.largest: processes.Memory | None = None
        """Seen at the end of any piece of work."""
        folder.mkdir()

    # --- Its life.

    def seed(self, name: str, articles: Iterable[Article]) -> None:
        """Make a database of that name, its tables made by Isso itself."""
        config = self._folder / f"{name}.cfg"
        config.write_text(_CONFIG.format(database=self._database(name), blog=self._blog))
        environment = {"ISSO_SETTINGS": str(config)}
        processes.run([self._programs / "python", "-c", "import isso.run"], env=environment)
        with sqlite3.connect(self._database(name)) as database:
            _sow(database, articles)
        database.close()
        shutil.copy(self._database(name), self._database(name).with_suffix(".new"))

    def renew(self, name: str) -> None:
        """Make that database again as it was when it was new."""
        shutil.copy(self._database(name).with_suffix(".new"), self._database(name))

    @contextmanager
    def serving(self, name: str, path: str) -> Iterator[None]:
        """Answer from the database of that name, beginning with the article at `path`."""
        command: list[str | Path] = [
            self._programs / "gunicorn",
            "-b",
            f"127.0.0.1:{self.port}",
            "-w",
            str(WORKERS),
        ]
        environment = {"ISSO_SETTINGS": str(self._folder / f"{name}.cfg")}
        server = processes.Server([*command, "--preload", "isso.run"], self._folder / "log", environment)
        self.starts.append(server.start(self.url + self.thread(path)))
        try:
            yield
            self._note(server.memory())
        finally:
            server.stop()

    def stored(self, name: str) -> int:
        """Return how many approved comments that database has."""
        with sqlite3.connect(self._database(name)) as database:
            return int(database.execute("SELECT count(*) FROM comments WHERE mode = 1").fetchone()[0])

    def _database(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"

    def _note(self, now: processes.Memory) -> None:
        if self.largest is None or now.pss > self.largest.pss:
            self.largest = now

    # --- What is asked of it.

    def thread(self, path: str) -> str:
        """Return the path of a thread, as the script in an article asks for it."""
        return f"/?{urlencode({'uri': path, 'sort': 'oldest', 'offset': 0, 'nested_limit': NESTED})}"

    def check_thread(self, path: str, many: int) -> asking.Answer:
        """Return the answer for a thread; raises WrongAnswerError unless it has so many comments."""
        answer = asking.get(self.url + self.thread(path))
        roots = asking.json_of(answer).get("replies", [])
        result = sum(1 + len(root["replies"]) for root in roots)
        return answer.require(200, f"{NAME}: {path} has {result} comments, not {many}", result == many)

    def counts(self, paths: Iterable[str]) -> tuple[str, str]:
        """Return path and body that ask how many comments these articles have."""
        return "/count", json.dumps(list(paths))

    def check_counts(self, paths: list[str], each: int) -> asking.Answer:
        """Return the answer for these articles' counts; raises WrongAnswerError unless each is `each`."""
        path, body = self.counts(paths)
        answer = asking.ask("POST", self.url + path, headers=self.post_headers, body=body)
        return answer.require(200, f"{NAME}: counts", asking.json_of(answer) == [each] * len(paths))

    # --- Posts.

    @property
    def post_headers(self) -> dict[str, str]:
        """The headers that its script sends with a comment."""
        return {"Content-Type": "application/json", "Origin": self._blog}

    def posts(self, paths: Iterable[str], texts: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield path and body of a comment for each pair, NUMBER standing where each request differs."""
        for at, (path, text) in enumerate(zip(paths, texts, strict=True)):
            fields = {
                "author": f"Reader {at}",
                "email": f"reader{at}@reader.example",
                "website": None,
                "text": f"{text} NUMBER",
                "parent": None,
                "title": f"Article at {path}",
                "notification": 0,
            }
            yield f"/new?{urlencode({'uri': path})}", json.dumps(fields)

    def check_post(self, path: str, body: str) -> None:
        """Post once; raises WrongAnswerError unless the comment appears at once."""
        answer = asking.ask("POST", self.url + path, headers=self.post_headers, body=body)
        answer.require(201, f"{NAME}: a post", asking.json_of(answer).get("mode") == 1)


def _sow(database: sqlite3.Connection, articles: Iterable[Article]) -> None:
    texts, began, first = material.texts(), time.time() - 180 * 86_400, 1
    for number, article in enumerate(articles, 1):
        database.execute(
            "INSERT INTO threads (id, uri, title) VALUES (?, ?, ?)", (number, article.path, article.title)
        )
        rows = [
            (
                number,
                first + at,
                None if one.root is None else first + one.root,  # it keeps one level of replies
                began + 60 * at,
                texts[one.text],
                one.name,
                one.email,
            )
            for at, one in enumerate(article.said)
        ]
        database.executemany(_COMMENT, rows)
        first += len(rows)
