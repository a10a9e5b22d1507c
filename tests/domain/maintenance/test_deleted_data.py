"""What is erased is in no file of ours any more: not in the search index, the write-ahead log or free space."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db import postgresql
from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import notes
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.maintenance import deleted_data, erased_names, erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.integrations import full_text
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Decision,
    Note,
    Report,
    Site,
    Status,
    now,
)
from tests.domain.maintenance import test_erasure
from tests.domain.maintenance.test_erasure import ENGINES, everything
from tests.support.member_client import MemberClient, stored, write

ada, session, site = test_erasure.ada, test_erasure.session, test_erasure.site

WORDS = ("Quetzalcoatlus", "Xylophonist", "zirkonia")
EMAIL = "xylophonist@zirkonia.example"
GUEST = AuthorRef.parse(f"email:{EMAIL}")


def files(settings: Settings) -> dict[str, bytes]:
    """Every file of the data directory, in small letters, as the search index has its words."""
    return {str(path): path.read_bytes().lower() for path in settings.data_dir.rglob("*") if path.is_file()}


def files_with(settings: Settings, *words: str) -> set[tuple[str, str]]:
    return {
        (word, path)
        for path, data in files(settings).items()
        for word in words
        if word.lower().encode() in data
    }


def guest_comment(
    session: Session, site: Site, words: str, *, email: str = EMAIL, name: str = "Xylophonist"
) -> int:
    number = write(session, site, words)
    begin_write(session)
    comment = session.get_one(Comment, number)
    comment.guest_name, comment.guest_email, comment.guest_website = (
        name,
        email,
        f"https://{email.partition('@')[2]}",
    )
    session.commit()
    return number


@pytest.fixture
def crowd(session: Session, site: Site) -> None:
    """Comments of others: a file with one comment tells little about free space."""
    for number in range(30):
        guest_comment(
            session, site, f"Other words {number} " * 20, email=f"o{number}@b.example", name=f"O{number}"
        )


def moderate(session: Session, site: Site, comment_id: int, who: AuthorRef, name: str) -> None:
    """A note, bans and a decision with reasons."""
    begin_write(session)
    operator = accounts.operator(session)
    notes.add(session, site.id, who, name, f"{name} is rude", moderator_id=operator.id, at=now())
    for kind, value in ((BanKind.EMAIL, EMAIL), (BanKind.NETWORK, "1" * 64)):
        session.add(Ban(site_id=site.id, kind=kind, value=value, label=name, reason="Rude"))
    actions.record(
        session,
        site_id=site.id,
        moderator_id=operator.id,
        kind="ban.add",
        summary=f"Banned {name}.",
        at=now(),
    )
    decisions.decide(session, session.get_one(Comment, comment_id), Status.SPAM, moderator_id=operator.id)
    session.flush()
    for decision in session.scalars(select(Decision).where(Decision.comment_id == comment_id)):
        decision.reasons = [
            {"check": "filter", "status": "spam", "reason": "What speaks most: quetzalcoatlus."}
        ]
    session.add(
        Report(comment_id=comment_id, reporter_hash="r", reason="rude", note="He says Quetzalcoatlus!")
    )
    session.commit()


def test_no_file_has_a_guests_words(settings: Settings, session: Session, site: Site, crowd: None) -> None:
    number = guest_comment(
        session, site, "A Quetzalcoatlus flew by. " * 300
    )  # more than a page of the database
    short = guest_comment(session, site, "Quetzalcoatlus", email=EMAIL.upper())
    moderate(session, site, number, GUEST, "Xylophonist")
    assert {word for word, _ in files_with(settings, *WORDS)} == set(WORDS)
    assert erasure.erase_guest(session, GUEST, site_id=site.id) == 2
    assert files_with(settings, *WORDS) == set()
    assert {stored(session, one).status for one in (number, short)} == {Status.TRASH}
    assert len(files(settings)) >= 2


@pytest.mark.parametrize("texts", list(Texts))
def test_no_file_has_a_members_name(
    settings: Settings, session: Session, site: Site, ada: MemberClient, crowd: None, texts: Texts
) -> None:
    number = write(session, site, "A Quetzalcoatlus flew by", by=ada.commenter_id)
    moderate(session, site, number, AuthorRef.parse(f"commenter:{ada.commenter_id}"), "Ada Unique")
    erasure.erase(session, ada.commenter_id, texts)
    kept = {word for word, _ in files_with(settings, "Ada Unique", "Quetzalcoatlus")}
    assert kept == ({"Quetzalcoatlus"} if texts is Texts.KEEP else set())


def test_what_was_deleted_without_erasing_anybody_is_not_in_free_space(
    settings: Settings, session: Session, site: Site, crowd: None
) -> None:
    number = guest_comment(session, site, "A Quetzalcoatlus flew by. " * 300)
    begin_write(session)
    session.execute(text("DELETE FROM comment WHERE id = :id"), {"id": number})
    session.commit()
    deleted_data.purge(session)
    assert files_with(settings, *WORDS) == set()


def test_words_are_gone_once_a_reader_has_ended(
    app: Flask, settings: Settings, session: Session, site: Site
) -> None:
    guest_comment(session, site, "Quetzalcoatlus")
    with Session(session.get_bind()) as reader:
        reader.scalar(select(Comment.id))
        end = threading.Timer(1, reader.close)
        end.start()
        erasure.erase_guest(session, GUEST)
        end.join()
    assert files_with(settings, *WORDS) == set()


def test_a_reader_who_never_ends_holds_nobody_up(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deleted_data, "LOG_WITHIN", 0.1)
    number = guest_comment(session, site, "Quetzalcoatlus")
    engine = session.get_bind().engine
    with Session(engine) as reader:
        reader.scalar(select(Comment.id))
        assert erasure.erase_guest(session, GUEST) == 1
        assert not deleted_data.empty_log(engine, within=0)
    assert deleted_data.empty_log(engine, within=0)
    assert stored(session, number).guest_email is None


@ENGINES
def test_a_search_still_finds_what_others_wrote(session: Session, site: Site, crowd: None) -> None:
    guest_comment(session, site, "Quetzalcoatlus")
    other = guest_comment(session, site, "Pteranodon", email="b@b.example", name="Ben")
    erasure.erase_guest(session, GUEST)
    for word, ids in (("Pteranodon", [other]), ("Quetzalcoatlus", []), ("Xylophonist", [])):
        query = full_text.newest(session, "comment", full_text.phrases(word), below=None, limit=5)
        assert list(session.scalars(query)) == ids, word


@ENGINES
def test_no_row_has_a_guests_words(session: Session, site: Site) -> None:
    number = guest_comment(session, site, "A Quetzalcoatlus flew by")
    moderate(session, site, number, GUEST, "Xylophonist")
    assert erasure.erase_guest(session, GUEST) == 1
    rows = everything(session).lower()
    assert [word for word in WORDS if word.lower() in rows] == []
    assert set(session.scalars(select(Ban.label))) == {erased_names.SOMEBODY}
    assert session.scalar(select(Note.id)) is None
    log = set(session.scalars(select(Action.summary)))
    assert {"Wrote a note about somebody.", "Banned somebody."} <= log


@ENGINES
def test_a_guest_is_erased_on_one_site_or_on_all(session: Session, site: Site) -> None:
    guest_comment(session, site, "Quetzalcoatlus")
    assert erasure.erase_guest(session, GUEST, site_id=site.id + 1) == 0
    assert erasure.erase_guest(session, AuthorRef.parse("name:Somebody else")) == 0
    assert erasure.erase_guest(session, AuthorRef.parse("name:Xylophonist")) == 1


@ENGINES
def test_a_renamed_member_is_taken_out_of_the_log(session: Session, site: Site, ada: MemberClient) -> None:
    number = write(session, site, "Hello", by=ada.commenter_id)
    moderate(session, site, number, AuthorRef.parse(f"commenter:{ada.commenter_id}"), "Her Former Name")
    erasure.erase(session, ada.commenter_id, Texts.REMOVE)
    summaries = set(session.scalars(select(Action.summary).where(Action.kind == "note.add")))
    assert summaries == {"Wrote a note about somebody."}


def test_a_short_name_takes_only_sentences_that_name_it(session: Session, site: Site) -> None:
    guest_comment(session, site, "Hello", name="An")
    begin_write(session)
    for summary in ("Banned Ann for good: rude", "Banned An for good: rude"):
        actions.record(session, site_id=site.id, moderator_id=None, kind="ban.add", summary=summary, at=now())
    session.commit()
    erasure.erase_guest(session, GUEST)
    assert set(session.scalars(select(Action.summary))) == {"Banned Ann for good: rude", "Banned somebody."}


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_vacuum_waits_for_a_lock_longer_than_anybody_else(
    session: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgresql, "GRACE", 0.2)
    monkeypatch.setattr(postgresql, "WRITE_STATEMENT", 0.2)
    engine = session.get_bind().engine
    session.execute(text("SELECT 1"))
    locked = engine.connect()
    locked.execute(text("LOCK TABLE comment IN SHARE UPDATE EXCLUSIVE MODE"))
    release = threading.Timer(1.0, locked.close)
    release.start()
    try:
        deleted_data.purge(session)
    finally:
        release.join()
    assert caplog.records == []
    assert session.execute(text("SHOW statement_timeout")).scalar() == "10s"
    assert session.execute(text("SHOW lock_timeout")).scalar() == "2s"


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_every_table_is_vacuumed(session: Session) -> None:
    ours = set(session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    session.rollback()
    statements: list[str] = []
    event.listen(session.get_bind().engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    deleted_data.purge(session)
    (vacuum,) = (each for each in statements if each.startswith("VACUUM"))
    assert ours - set(vacuum.partition(") ")[2].split(", ")) == {"alembic_version", "hash_key"}
