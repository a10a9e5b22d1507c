"""commentsvc as `commentsvc serve` runs it, with one database for everything that is measured."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench import asking, material, processes
from bench.material import Article
from commentsvc.cli import service
from commentsvc.config import PREFIX, Settings
from commentsvc.domain.accounts import accounts
from commentsvc.domain.comments import comment_text
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Decision, Kind, Policy, Site, Status, Thread
from commentsvc.text import markup

NAME = "commentsvc"
UNLIMITED = "1000000/second"
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_BATCH = 20_000
_TOKEN = re.compile(r'name="token" value="([^"]+)"')
SETTLED = 3.0
"""Seconds; a page that is still read after one is compressed better."""
_ARTICLE = re.compile(r'<article\b[^>]*class="?comment\b')


UNIT = {"MALLOC_ARENA_MAX": "1"}
"""What deploy/commentsvc.service sets."""


class Ours:
    """The service, on a data directory of its own: all by default, but a site open to all and no limits on posts."""

    def __init__(self, folder: Path, blog: str) -> None:
        self.blog = blog
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        folder.mkdir()
        limits = dict.fromkeys(("POST_LIMIT", "PERSON_LIMIT", "THREAD_LIMIT"), UNLIMITED)
        variables = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "BASE_URL": self.url,
            "DATA_DIR": str(folder / "data"),
        }
        variables |= limits
        self._env = {PREFIX + name: value for name, value in variables.items()} | UNIT
        program = Path(sys.executable).with_name("commentsvc")
        self._init: list[str | Path] = [program, "init"]
        self._server = processes.Server(
            [program, "serve", "--bind", f"127.0.0.1:{self.port}"], folder / "log", self._env
        )

    # --- Its life.

    def seed(self, articles: Iterable[Article]) -> None:
        """Fill a new database; every comment was approved. Raises NotRunningError."""
        processes.run(self._init, env=self._env)
        known = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with service.writing(Settings.from_env(known | self._env)) as session:
            site = sites.add(session, "Blog", [self.blog], owner_id=accounts.operator(session).id)
            site.policy = Policy.OPEN
            site.valve = False  # a flood of posts is just what it is for
            session.flush()
            _Seeds(session, site, self.blog).sow(articles)

    def start(self, path: str) -> float:
        """Start the service; return the seconds until it had shown the thread of the article at `path`."""
        return self._server.start(self.url + self.thread(path))

    def stop(self) -> None:
        """End it, requests under way first."""
        self._server.stop()

    def memory(self) -> processes.Memory:
        """Return what all its processes take."""
        return self._server.memory()

    def stored(self) -> int:
        """Return how many approved comments its database has."""
        with sqlite3.connect(self._folder / "data" / "comments.sqlite") as database:
            return int(
                database.execute("SELECT count(*) FROM comment WHERE status = 'approved'").fetchone()[0]
            )

    # --- What is asked of it.

    def thread(self, path: str) -> str:
        """Return the path of a thread's frame, as the script in an article asks for it."""
        return f"/embed?{urlencode({'url': self.blog + path})}"

    def counts(self, paths: Iterable[str]) -> str:
        """Return the path that says how many comments these articles have."""
        return f"/counts?{urlencode([('url', self.blog + path) for path in paths])}"

    def check_thread(self, path: str, many: int) -> asking.Answer:
        """Return the answer for a thread; raises WrongAnswerError unless it shows so many comments."""
        answer = asking.get(self.url + self.thread(path))
        shown = len(_ARTICLE.findall(answer.plain()))
        return answer.require(200, f"{NAME}: {path} shows {shown} comments, not {many}", shown == many)

    def read_on(self, path: str) -> None:
        """Read a thread for as long as it takes until every process has compressed it as well as it ever does."""
        until = time.monotonic() + SETTLED
        while time.monotonic() < until:
            asking.get(self.url + self.thread(path))
            time.sleep(0.02)

    def check_counts(self, paths: list[str], each: int) -> asking.Answer:
        """Return the answer for these articles' counts; raises WrongAnswerError unless each is `each`."""
        answer = asking.get(self.url + self.counts(paths))
        wanted = {self.blog + path: each for path in paths}
        return answer.require(200, f"{NAME}: counts", asking.json_of(answer) == wanted)

    def not_modified(self, path: str) -> dict[str, str]:
        """Return the headers of somebody who has the thread already; raises WrongAnswerError."""
        tag = asking.get(self.url + self.thread(path)).headers.get("etag", "")
        headers = {"If-None-Match": tag}
        asking.get(self.url + self.thread(path), **headers).require(304, f"{NAME}: has {tag} already")
        return headers

    # --- Posts.

    @property
    def post_headers(self) -> dict[str, str]:
        """The headers that the frame's script sends with a comment."""
        return {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.url,
            "Sec-Fetch-Site": "same-origin",
        }

    def posts(self, paths: Iterable[str], texts: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield path and body of a comment for each pair, NUMBER standing where each request differs."""
        for at, (path, text) in enumerate(zip(paths, texts, strict=True)):
            match = _TOKEN.search(asking.get(self.url + self.thread(path)).plain())
            if match is None:
                raise asking.WrongAnswerError(f"{NAME}: {path} has no form")
            fields = {
                "url": self.blog + path,
                "title": f"Article at {path}",
                "token": match[1],
                "key": "NUMBER",
                "author_key": f"{at:048x}",
                "identity": "guest",
                "text": f"{text} NUMBER",
                "name": f"Reader {at}",
                "email": f"reader{at}@reader.example",
            }
            yield "/embed/comments", urlencode(fields)

    def check_post(self, path: str, body: str) -> None:
        """Post once; raises WrongAnswerError unless the comment appears at once."""
        answer = asking.ask("POST", self.url + path, headers=self.post_headers, body=body)
        answer.require(200, f"{NAME}: a post", asking.json_of(answer).get("held") is False)


class _Seeds:
    """Rows as an import leaves them, written in bulk."""

    def __init__(self, session: Session, site: Site, blog: str) -> None:
        self._session, self._site, self._blog = session, site, blog
        self._drafts = [comment_text.from_source(text, longest=10_000) for text in material.texts()]
        self._comments: list[dict[str, Any]] = []
        self._next = 1

    def sow(self, articles: Iterable[Article]) -> None:
        for number, article in enumerate(articles, 1):
            self._add(number, article)
            if len(self._comments) >= _BATCH:
                self._write()
        self._write()

    def _add(self, number: int, article: Article) -> None:
        address = threads.address_on(self._site, self._blog + article.path)
        thread = Thread(
            id=number, site_id=self._site.id, key=address.key, url=address.url, title=article.title
        )
        thread.created_at, thread.version, thread.approved_count = BEGAN, len(article.said), len(article.said)
        self._session.add(thread)
        first, self._next = self._next, self._next + len(article.said)
        rows = [self._row(number, first, at, one) for at, one in enumerate(article.said)]
        for one in article.said:
            if one.root is not None:
                rows[one.root]["reply_count"] += 1
        self._comments += rows

    def _row(self, thread_id: int, first: int, at: int, one: material.Said) -> dict[str, Any]:
        draft = self._drafts[one.text]
        return {
            "id": first + at,
            "site_id": self._site.id,
            "thread_id": thread_id,
            "parent_id": None if one.answers is None else first + one.answers,
            "root_id": None if one.root is None else first + one.root,
            "depth": one.depth,
            "kind": Kind.COMMENT,
            "status": Status.APPROVED,
            "shown": True,
            "reply_count": 0,
            "format": draft.format,
            "source": draft.source,
            "html": draft.rendered.html,
            "renderer": markup.VERSION,
            "digest": draft.digest,
            "guest_name": one.name,
            "guest_email": one.email,
            "created_at": BEGAN + timedelta(minutes=at),
        }

    def _write(self) -> None:
        self._session.flush()
        if self._comments:
            self._session.execute(insert(Comment), self._comments)
            decisions = [
                {"comment_id": row["id"], "status": Status.APPROVED, "created_at": row["created_at"]}
                for row in self._comments
            ]
            self._session.execute(insert(Decision), decisions)
        self._comments = []
