"""Imports as a whole: counters as moderation leaves them, interruptions, two at once, hostile texts, a real file."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from threading import Thread as Worker

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.moderation import decisions
from commentsvc.domain.transfer import importing, wordpress
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Comment, Kind, Site, Status, Thread
from commentsvc.text import markup
from tests.support import wxr
from tests.support.attacks import ATTACKS

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
THEME_TEST = Path(__file__).parents[4] / "shared/data/wordpress-theme-test.xml"
Load = Callable[..., ImportReport]


@pytest.fixture
def load(session: Session, site: Site) -> Load:
    return partial(wxr.load, session, site)


def forest(seed: int, comments: int, articles: int) -> list[str]:
    """Return articles whose comments answer each other in every way, in no order."""
    chance = random.Random(seed)
    items: list[str] = []
    number = 0
    for article in range(articles):
        written = []
        for _ in range(comments):
            number += 1
            written.append(
                wxr.comment(
                    f"Comment {number}",
                    number=number,
                    parent=chance.choice([0, chance.randint(1, articles * comments)]),
                    approved=chance.choice(["1", "1", "1", "0", "spam", "trash"]),
                    type=chance.choice(["", "", "", "", "pingback"]),
                    **wxr.at(chance.randint(0, 59)),
                )
            )
        chance.shuffle(written)
        items.append(wxr.item(*written, link=f"{wxr.OLD_BLOG}/{article}/"))
    return items


def standing(session: Session) -> list[tuple[object, ...]]:
    """What moderation looks after."""
    session.expire_all()
    comments = [
        (one.id, one.status, one.shown, one.reply_count, one.parent_id, one.root_id, one.depth)
        for one in wxr.stored(session)
    ]
    threads = [
        (one.id, one.version, one.approved_count)
        for one in session.scalars(select(Thread).order_by(Thread.id))
    ]
    return [*comments, *threads]


def decide_all_again(session: Session) -> None:
    """Put every comment back to where none was decided on, and decide on each."""
    begin_write(session)
    wanted = [(one.id, one.status) for one in wxr.stored(session)]
    session.execute(update(Comment).values(status=Status.HELD, shown=False, reply_count=0))
    session.execute(update(Thread).values(version=0, approved_count=0))
    session.expire_all()
    for comment_id, status in wanted:
        decisions.decide(session, session.get_one(Comment, comment_id), status)
        session.flush()
    session.commit()


@ENGINES
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_and_counters_are_as_moderation_would_have_left_them(
    session: Session, load: Load, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(importing, "BATCH", 7)
    report = load(*forest(seed, comments=40, articles=3))
    assert report.count() == 120
    imported = standing(session)
    decide_all_again(session)
    assert imported == standing(session)


def test_every_reply_is_in_the_tree_of_its_root(session: Session, load: Load) -> None:
    load(*forest(4, comments=200, articles=1))
    by_id = {comment.id: comment for comment in wxr.stored(session)}
    for comment in by_id.values():
        if comment.parent_id is None:
            assert (comment.root_id, comment.depth) == (None, 0)
            continue
        parent = by_id[comment.parent_id]
        assert comment.id > parent.id
        assert comment.kind is parent.kind is Kind.COMMENT
        assert (comment.root_id, comment.depth) == (parent.root_id or parent.id, parent.depth + 1)


@ENGINES
def test_an_interrupted_import_goes_on_where_it_was(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    whole = wxr.export(*forest(5, comments=25, articles=4))
    broken = wordpress.read(io.BytesIO(whole[: len(whole) * 2 // 3]))
    with pytest.raises(TransferError, match="the file ends in the middle"):
        importing.run(session, site, broken, at=wxr.TODAY)
    session.rollback()
    arrived = len(wxr.stored(session))
    assert 0 < arrived < 100
    report = importing.run(session, site, wordpress.read(io.BytesIO(whole)), at=wxr.TODAY)
    assert (report.already_there, report.count()) == (arrived, 100 - arrived)
    imported = standing(session)
    decide_all_again(session)
    assert imported == standing(session)


@ENGINES
def test_others_may_write_while_an_import_runs(session: Session, site: Site) -> None:
    def slowly() -> Iterator[ImportedThread]:
        for number, article in enumerate(
            wordpress.read(io.BytesIO(wxr.export(*forest(6, comments=1, articles=5))))
        ):
            with Session(session.get_bind()) as visitor:
                begin_write(visitor)
                visitor.execute(update(Site).values(heading=f"Heading {number}"))
                visitor.commit()
            yield article

    session.commit()
    assert importing.run(session, site, slowly(), at=wxr.TODAY).count() == 5


@ENGINES
def test_two_imports_at_once_make_one(session: Session, site: Site) -> None:
    session.commit()
    engine = session.get_bind()
    assert isinstance(engine, Engine)
    data = wxr.export(*forest(7, comments=60, articles=1))
    counts: list[int] = []

    def work() -> None:
        with Session(engine) as own:
            articles = wordpress.read(io.BytesIO(data))
            counts.append(importing.run(own, own.get_one(Site, site_id), articles, at=wxr.TODAY).count())

    site_id = site.id
    session.rollback()
    workers = [Worker(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counts) == 60
    imported = standing(session)
    decide_all_again(session)
    assert imported == standing(session)


def test_progress_adds_up_to_what_was_read(session: Session, load: Load) -> None:
    items = [*forest(8, comments=30, articles=2), wxr.item(wxr.comment(""), link="nowhere")]
    for _ in range(2):
        steps: list[int] = []
        assert sum(steps) == 0
        assert load(*items, progress=steps.append).read == sum(steps) == 61


class _Kept(HTMLParser):
    """Fails on any tag or attribute that is not on the list."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in markup.TAGS
        for name, value in attrs:
            assert name in markup.ATTRIBUTES[tag]
            if name == "href":
                assert (value or "").lower().startswith(("http://", "https://", "mailto:"))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


def test_hostile_texts_names_addresses_and_titles_arrive_harmless(session: Session, load: Load) -> None:
    texts = [attack.text for attack in ATTACKS if len(attack.text) < 20_000]
    comments = [
        wxr.comment(text, author=text, author_email=text, author_url=text, number=number)
        for number, text in enumerate(texts, 1)
    ]
    report = load(
        *(
            wxr.item(one, title=wxr.cdata(text), link=f"/{at}/")
            for at, (one, text) in enumerate(zip(comments, texts, strict=True))
        )
    )
    assert report.read == len(texts)
    assert report.count() > len(texts) * 0.8
    for comment in wxr.stored(session):
        parser = _Kept()
        parser.feed(comment.html)
        parser.close()
        assert (comment.guest_website or "http://").startswith(("http://", "https://"))
        for line in (comment.guest_name, comment.guest_email, comment.thread.title):
            assert line is None or line.isprintable() or "\u200c" in line or "\u200d" in line


@ENGINES
@pytest.mark.skipif(not THEME_TEST.exists(), reason="the theme test data is not beside the repository")
def test_wordpress_own_test_data_arrives_whole(session: Session, site: Site) -> None:
    def run() -> ImportReport:
        return importing.run(session, site, wordpress.read(THEME_TEST), at=wxr.TODAY)

    report = run()
    assert (report.threads_new, report.read, report.already_there, report.skipped) == (6, 32, 0, {})
    assert [report.count(kind) for kind in Kind] == [28, 2, 2]
    assert [report.count(status=status) for status in (Status.APPROVED, Status.HELD)] == [28, 4]
    assert max(comment.depth for comment in wxr.stored(session)) == 9
    before = standing(session)
    assert run().already_there == 32
    assert standing(session) == before
