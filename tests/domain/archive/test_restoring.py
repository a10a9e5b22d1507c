"""An archive is restored without loss into an empty database of either engine, and without doubles into another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.archive import restoring
from commentsvc.domain.archive.parts import PARTS
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.archive.restored_rows import RESTORED
from commentsvc.domain.notifications import suppression
from commentsvc.domain.reading import old_anchors
from commentsvc.domain.sites import sites
from commentsvc.errors import ArchiveError
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Commenter,
    Identity,
    Note,
    Site,
    Subscription,
    Suppression,
    Thread,
    ThreadAlias,
)
from tests.conftest import _emptied, environment
from tests.support import archives


@pytest.fixture
def sqlite_settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    """Settings of a service with an empty SQLite file."""
    folder = tmp_path / "sqlite"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "comments.sqlite")
    return Settings.from_env(environment(folder))


@pytest.fixture
def postgresql_settings(tmp_path: Path, migrated_postgresql: str) -> Settings:
    """Settings of a service with an empty PostgreSQL database."""
    url = _emptied(migrated_postgresql)
    return Settings.from_env(environment(tmp_path, COMMENTSVC_DATABASE_URL=url))


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("first", ["sqlite", "postgresql"])
def test_another_engine_gives_the_same_archive(
    first: str, sqlite_settings: Settings, postgresql_settings: Settings, tmp_path: Path
) -> None:
    source, target = sqlite_settings, postgresql_settings
    if first == "postgresql":
        source, target = target, source
    with archives.opened(source) as session:
        archives.fill(session)
        before = archives.write(session, tmp_path / "before.zip")
    with archives.opened(target) as session:
        report = archives.restore(session, before)
        after = archives.write(session, tmp_path / "after.zip")
        assert report.into_empty
        assert all(archives.contents(before).values()), "something in every part"
        assert after.read_bytes() == before.read_bytes()
        begin_write(session)
        site = session.scalars(select(Site)).one()
        session.add(Thread(site_id=site.id, key="https://blog.example/new/", url="https://blog.example/new/"))
        session.commit()  # the numbers go on


def test_the_time_is_all_that_differs(sqlite_settings: Settings, tmp_path: Path) -> None:
    with archives.opened(sqlite_settings) as session:
        archives.fill(session)
        now = archives.write(session, tmp_path / "now.zip")
        later = archives.write(session, tmp_path / "later.zip", at=archives.AT.replace(year=2027))
    assert archives.contents(now) == archives.contents(later)


def test_the_html_is_rendered_anew(sqlite_settings: Settings, session: Session, tmp_path: Path) -> None:
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        archives.restore(session, archives.write(source, tmp_path / "a.zip"))
        html = select(Comment.id, Comment.html, Comment.digest, Comment.search_text).order_by(Comment.id)
        assert session.execute(html).all() == source.execute(html).all()


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_living_database_gets_each_record_once(
    session: Session, site: Site, sqlite_settings: Settings, tmp_path: Path
) -> None:
    archives.make_other(session, site)
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        path = archives.write(source, tmp_path / "a.zip")
    records = archives.contents(path)
    first = archives.restore(session, path)
    assert not first.into_empty
    assert first.added["comment"] == len(records["comment"])
    counts = {part.name: count(session, part.model) for part in PARTS}
    again = archives.restore(session, path)
    assert not any(again.added.values())
    assert counts == {part.name: count(session, part.model) for part in PARTS}

    restored = sites.by_name(session, records["site"][0]["name"])
    member = session.scalars(select(Commenter).where(Commenter.name == "Müller 🌍")).one()
    assert member.id != next(one["id"] for one in records["commenter"] if one["name"] == member.name)
    issuers = set(session.scalars(select(Identity.issuer).where(Identity.commenter_id == member.id)))
    assert issuers == {"https://github.com", f"site:{restored.id}"}
    assert session.scalars(select(Ban.value).where(Ban.kind == BanKind.PERSON)).all() == [str(member.id)]
    about = session.scalars(select(Note.about).where(Note.about.startswith("commenter:"))).all()
    assert f"commenter:{member.id}" in about
    kinds = session.scalars(select(Action.kind).where(Action.site_id == restored.id)).all()
    assert all(kind.startswith(RESTORED) for kind in kinds)
    _require_same_counts(session, records)


def _require_same_counts(session: Session, records: dict[str, list[dict[str, object]]]) -> None:
    """Compare what readers see of each thread with the archive."""
    for record in records["thread"]:
        thread = session.scalars(select(Thread).where(Thread.key == record["key"])).one()
        assert thread.approved_count == record["approved_count"]
        shape = (Comment.depth, Comment.shown, Comment.reply_count, Comment.source, Comment.status)
        rows = session.execute(select(*shape).where(Comment.thread_id == thread.id).order_by(Comment.id))
        assert [list(row) for row in rows] == [
            [one[name] for name in ("depth", "shown", "reply_count", "source", "status")]
            for one in records["comment"]
            if one["thread_id"] == record["id"]
        ]


def test_an_old_number_leads_to_its_comment(
    session: Session, site: Site, sqlite_settings: Settings, tmp_path: Path
) -> None:
    archives.make_other(session, site)
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        path = archives.write(source, tmp_path / "a.zip")
    archives.restore(session, path)
    for record in archives.contents(path)["comment"][-3:]:
        row = session.scalars(select(Comment).where(Comment.transfer_key == record["uid"])).one()
        assert row.source == record["source"]
        assert old_anchors.comment_id(session, row.thread_id, f"#comment-c{record['id']}") == row.id
        assert old_anchors.comment_id(session, row.thread_id, f"#comment-c{row.id}") == row.id


def test_what_was_written_since_stays_and_what_is_missing_comes_back(
    session: Session, tmp_path: Path
) -> None:
    site = archives.fill(session)
    path = archives.write(session, tmp_path / "a.zip")
    begin_write(session)
    thread = session.scalars(select(Thread).order_by(Thread.id)).first()
    assert thread is not None
    counted = thread.approved_count
    lost = session.scalars(
        select(Comment).where(Comment.thread_id == thread.id, Comment.reply_count == 0, Comment.shown)
    ).all()[-1]
    text, edited = lost.source, session.scalars(select(Comment).where(Comment.id != lost.id)).first()
    assert edited is not None
    edited.source = "Edited since"
    session.delete(lost)
    session.delete(session.scalars(select(ThreadAlias)).one())
    session.commit()
    report = archives.restore(session, path)
    session.expire_all()
    assert report.added["comment"] == 1
    assert session.scalars(select(Comment).where(Comment.source == text)).one().decisions
    assert session.get_one(Comment, edited.id).source == "Edited since"
    assert session.get_one(Thread, thread.id).approved_count == counted
    assert count(session, ThreadAlias) == 1
    assert site.id


def test_roles_and_bans_that_were_taken_back_stay_away(session: Session, tmp_path: Path) -> None:
    archives.fill(session)
    path = archives.write(session, tmp_path / "a.zip")
    begin_write(session)
    for model in (Ban, Subscription):
        for row in session.scalars(select(model)):
            session.delete(row)
    session.commit()
    archives.restore(session, path)
    assert count(session, Ban) == count(session, Subscription) == 0


def test_a_suppressed_address_stays_suppressed_under_another_key(
    session: Session, sqlite_settings: Settings, tmp_path: Path
) -> None:
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        archives.restore(session, archives.write(source, tmp_path / "a.zip"))
    subscription = session.scalars(
        select(Subscription).where(Subscription.address == "ada@mail.example")
    ).one()
    assert subscription.address_hash != suppression.hash_of_address(archives.KEY, "ada@mail.example")
    assert session.scalars(select(Suppression.address_hash)).all() == [subscription.address_hash]


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_comments_can_be_written_until_all_texts_are_rendered(
    session: Session, site: Site, sqlite_settings: Settings, tmp_path: Path
) -> None:
    archives.make_other(session, site)
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        path = archives.write(source, tmp_path / "a.zip")
    number = len(archives.contents(path)["comment"])
    steps: list[int] = []

    def write_meanwhile(step: int) -> None:
        steps.append(step)
        if len(steps) == number:
            with Session(session.get_bind()) as other:
                begin_write(other)
                other.add(Commenter(name="Written meanwhile"))
                other.commit()

    with ArchiveFile(path) as archive:
        report = restoring.restore(session, archive, progress=write_meanwhile)
    assert report.added["comment"] == number
    assert sum(steps) == 2 * number
    assert session.scalar(select(Commenter.id).where(Commenter.name == "Written meanwhile"))
    kept = select(Comment.html).where(Comment.html == "")
    assert session.scalars(kept).all() == []


def test_an_origin_of_another_site_is_refused(
    session: Session, site: Site, sqlite_settings: Settings, tmp_path: Path
) -> None:
    session.commit()  # the fixture's site has the origin of the archive's
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        path = archives.write(source, tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="belongs to the site Blog here"):
        archives.restore(session, path)
    assert count(session, Site) == 1


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_nothing_is_half_written(session: Session, sqlite_settings: Settings, tmp_path: Path) -> None:
    session.rollback()
    with archives.opened(sqlite_settings) as source:
        archives.fill(source)
        path = archives.write(source, tmp_path / "a.zip")
    broken = archives.with_records(
        path, tmp_path / "b.zip", "membership", lambda records: [{**records[0], "commenter_id": 999_999}]
    )
    with pytest.raises(ArchiveError, match="nothing was restored"):
        archives.restore(session, broken)
    assert all(count(session, part.model) == 0 for part in PARTS)
