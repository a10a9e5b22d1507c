"""Deleting a person: what goes, what stays, and that threads and their counters stay right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, begin_write
from commentsvc.domain.accounts import accounts, login_sessions
from commentsvc.domain.comments import erased_comments
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.reading import avatars
from commentsvc.domain.sites import sites
from commentsvc.errors import ForbiddenError
from commentsvc.models import (
    Ban,
    BanKind,
    Comment,
    Commenter,
    Decision,
    Identity,
    LoginSession,
    Membership,
    Note,
    Picture,
    Policy,
    Role,
    Site,
    Status,
    Thread,
    Ticket,
    now,
)
from commentsvc.text import images as shrinking
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.member_client import MemberClient, enter, frame_session, person, stored, write
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
BOTH = pytest.mark.parametrize("texts", list(Texts))
SURE = {"sure": "y"}


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    return site


@pytest.fixture
def ada(app: Flask, session: Session, site: Site) -> MemberClient:
    return enter(app, session, person(session, name="Ada Unique"), site)


def thread(session: Session) -> Thread:
    session.rollback()
    return session.scalars(select(Thread).execution_options(populate_existing=True)).one()


def page(app: Flask) -> str:
    return BrowserClient(app).page(f"/thread?url={BLOG}/article")


def everything(session: Session) -> str:
    """The whole database, as text."""
    session.rollback()
    tables = Base.metadata.sorted_tables
    return "\n".join(str(row) for table in tables for row in session.execute(select(table)))


class TestTextsRemoved:
    @ENGINES
    def test_nothing_of_them_is_left(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        number = write(session, site, "My innermost thought", by=ada.commenter_id, role=Role.MODERATOR)
        answer = ada.post("/account/delete", {"texts": "remove", **SURE})
        assert (answer.status_code, answer.location) == (303, "/account?gone=1")
        left = everything(session)
        for trace in ("innermost", "Ada Unique", "k" * 64, "n" * 64):
            assert trace not in left, trace
        comment = stored(session, number)
        assert (comment.status, comment.commenter_id, comment.role) == (Status.TRASH, None, None)
        assert "innermost" not in page(app)

    @ENGINES
    def test_a_thread_keeps_its_shape(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        root = write(session, site, "A root of mine", by=ada.commenter_id)
        reply = write(session, site, "A guest's answer", to=root)
        leaf = write(session, site, "My answer to that", by=ada.commenter_id, to=reply)
        alone = write(session, site, "Nobody answered this", by=ada.commenter_id)
        assert thread(session).approved_count == 4
        before = thread(session).version
        ada.post("/account/delete", {"texts": "remove", **SURE})
        result = thread(session)
        assert result.approved_count == 1
        assert result.version > before
        assert stored(session, root).reply_count == 1
        assert [stored(session, one).shown for one in (root, reply, leaf, alone)] == [
            True,
            True,
            False,
            False,
        ]
        shown = page(app)
        assert "A guest&#39;s answer" in shown or "A guest's answer" in shown
        assert "This comment was removed." in shown
        assert "Removed by its author" not in shown

    def test_what_was_never_public_goes_too(self, session: Session, site: Site, ada: MemberClient) -> None:
        numbers = [write(session, site, f"Text {one}", by=ada.commenter_id) for one in range(3)]
        begin_write(session)
        for number, status in zip(numbers, (Status.HELD, Status.SPAM, Status.TRASH), strict=True):
            decisions.decide(session, session.get_one(Comment, number), status)
        session.commit()
        ada.post("/account/delete", {"texts": "remove", **SURE})
        assert {stored(session, number).status for number in numbers} == {Status.TRASH}
        assert {stored(session, number).source for number in numbers} == {erased_comments.REMOVED}
        assert thread(session).approved_count == 0

    @ENGINES
    def test_the_spam_filter_forgets_their_words(
        self, session: Session, site: Site, ada: MemberClient
    ) -> None:
        number = write(session, site, "Xylophones quarrelled", by=ada.commenter_id)
        begin_write(session)
        moderator = accounts.operator(session)
        decisions.decide(session, session.get_one(Comment, number), Status.SPAM, moderator_id=moderator.id)
        session.commit()
        assert "xylophones" in everything(session)
        ada.post("/account/delete", {"texts": "remove", **SURE})
        assert "xylophones" not in everything(session).casefold()

    def test_a_moderator_sees_why(self, session: Session, site: Site, ada: MemberClient) -> None:
        number = write(session, site, "Mine", by=ada.commenter_id)
        ada.post("/account/delete", {"texts": "remove", **SURE})
        stored(session, number)
        last = session.scalars(select(Decision).order_by(Decision.id.desc()).limit(1)).one()
        assert (last.status, last.moderator_id) == (Status.TRASH, None)
        assert last.reasons[0]["reason"] == "Its author deleted their account here."

    @ENGINES
    def test_more_than_one_batch(
        self, session: Session, site: Site, ada: MemberClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(erasure, "BATCH", 2)
        for one in range(7):
            write(session, site, f"Text {one}", by=ada.commenter_id, path=f"/article-{one % 3}")
        ada.post("/account/delete", {"texts": "remove", **SURE})
        session.rollback()
        assert set(session.scalars(select(Comment.source))) == {erased_comments.REMOVED}
        assert set(session.scalars(select(Thread.approved_count))) == {0}

    def test_an_interrupted_one_can_be_repeated(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The account goes last: until everything else is gone, its owner can still come and press the button."""
        monkeypatch.setattr(erasure, "BATCH", 1)
        for one in range(3):
            write(session, site, f"Text {one}", by=ada.commenter_id)
        removed, seen = erased_comments.erase, []

        def fail_at_the_second(*given: Any, **named: Any) -> None:
            seen.append(1)
            if len(seen) == 2:
                raise OSError
            removed(*given, **named)

        monkeypatch.setattr(erased_comments, "erase", fail_at_the_second)
        assert ada.post("/account/delete", {"texts": "remove", **SURE}).status_code == 500
        assert session.get(Commenter, ada.commenter_id) is not None
        monkeypatch.setattr(erased_comments, "erase", removed)
        assert ada.post("/account/delete", {"texts": "remove", **SURE}).status_code == 303
        session.rollback()
        assert set(session.scalars(select(Comment.source))) == {erased_comments.REMOVED}


class TestTextsKept:
    @ENGINES
    def test_they_stand_under_no_name(
        self, app: Flask, session: Session, site: Site, ada: MemberClient
    ) -> None:
        number = write(session, site, "A thought that stays", by=ada.commenter_id, role=Role.OWNER)
        write(session, site, "An answer", to=number)
        before = thread(session).version
        assert ada.post("/account/delete", {"texts": "keep", **SURE}).status_code == 303
        comment = stored(session, number)
        assert (comment.status, comment.commenter_id, comment.role) == (Status.APPROVED, None, None)
        assert (comment.author_key_hash, comment.network_hash) == (None, None)
        assert thread(session).approved_count == 2
        assert thread(session).version > before
        shown = page(app)
        assert "A thought that stays" in shown
        assert "Anonymous" in shown
        assert "Ada Unique" not in shown + everything(session)


class TestEitherWay:
    @ENGINES
    @BOTH
    def test_every_row_about_them_goes(
        self, session: Session, site: Site, ada: MemberClient, texts: Texts
    ) -> None:
        frame_session(session, session.get_one(Identity, ada.identity_id), site)
        file = BytesIO()
        Image.new("RGB", (8, 8)).save(file, "PNG")
        begin_write(session)
        avatars.store(session, ada.commenter_id, shrinking.shrink(file.getvalue()), at=now())
        session.add(Membership(commenter_id=ada.commenter_id, site_id=site.id, role=Role.MODERATOR))
        accounts.issue_link(session, session.get_one(Commenter, ada.commenter_id), at=now())
        number = str(ada.commenter_id)
        session.add(Note(site_id=site.id, about=f"commenter:{number}", text="A nuisance"))
        session.add(
            Ban(site_id=site.id, kind=BanKind.PERSON, value=number, label="Ada Unique", reason="Rude")
        )
        session.commit()
        ada.post("/account/delete", {"texts": texts.value, **SURE})
        session.rollback()
        for table in (Picture, Membership, LoginSession, Ticket, Identity):
            query = select(func.count()).select_from(table).where(table.commenter_id == ada.commenter_id)
            assert session.scalar(query) == 0, table
        assert "Ada Unique" not in everything(session)
        assert "A nuisance" not in everything(session)
        assert session.scalar(select(Commenter.id).where(Commenter.id == ada.commenter_id)) is None

    def test_no_table_can_forget_to_let_go(self, app: Flask) -> None:
        """Whatever refers to a person must say what becomes of it, or deleting one would fail one day."""
        for table in Base.metadata.sorted_tables:
            for key in table.foreign_keys:
                if key.column.table.name == "commenter":
                    assert key.ondelete in {"CASCADE", "SET NULL"}, key

    @BOTH
    def test_they_are_logged_out_and_told(
        self, session: Session, site: Site, ada: MemberClient, texts: Texts
    ) -> None:
        ada.post("/account/delete", {"texts": texts.value, **SURE})
        assert "Your account is deleted" in ada.page("/account?gone=1")
        assert ada.visitor.get("/account/settings").status_code == 303
        assert ada.visitor.client.get_cookie("commentsvc_reader", domain="127.0.0.1") is None

    @BOTH
    def test_others_keep_theirs(
        self, app: Flask, session: Session, site: Site, ada: MemberClient, texts: Texts
    ) -> None:
        ben = enter(app, session, person(session, name="Ben", subject="2"), site)
        mine = write(session, site, "Mine", by=ada.commenter_id)
        theirs = write(session, site, "Ben's", by=ben.commenter_id, to=mine)
        ada.post("/account/delete", {"texts": texts.value, **SURE})
        comment = stored(session, theirs)
        assert (comment.source, comment.status, comment.shown) == ("Ben's", Status.APPROVED, True)
        assert len(login_sessions.sessions_of(session, ben.commenter_id, at=now())) == 2

    @BOTH
    def test_logging_in_later_is_a_new_person(
        self, session: Session, site: Site, ada: MemberClient, texts: Texts
    ) -> None:
        number = write(session, site, "Mine", by=ada.commenter_id)
        ada.post("/account/delete", {"texts": texts.value, **SURE})
        again = person(session, name="Ada Unique")
        assert stored(session, number).commenter_id is None
        assert again.commenter_id not in set(session.scalars(select(Comment.commenter_id)))


class TestTheButton:
    @pytest.mark.parametrize(
        "sent", [{}, SURE, {"texts": "remove"}, {"texts": "all", **SURE}, {"texts": "keep", "sure": ""}]
    )
    def test_wants_a_choice_and_a_yes(
        self, session: Session, site: Site, ada: MemberClient, sent: dict[str, str]
    ) -> None:
        answer = ada.post("/account/delete", sent)
        assert answer.status_code == 422
        assert "Not done" in answer.text
        assert session.get(Commenter, ada.commenter_id) is not None

    def test_wants_a_fresh_login(self, app: Flask, session: Session, site: Site) -> None:
        member = enter(app, session, person(session), site, ago=timedelta(minutes=11))
        assert '<form class="delete-account"' not in member.page("/account/delete")
        assert member.post("/account/delete", {"texts": "remove", **SURE}).status_code == 403
        assert session.get(Commenter, member.commenter_id) is not None

    def test_is_no_link(self, session: Session, site: Site, ada: MemberClient) -> None:
        for query in ("", "?texts=remove&sure=y", "?texts=keep&sure=y&csrf_token=x"):
            ada.page(f"/account/delete{query}")
        assert session.get(Commenter, ada.commenter_id) is not None

    @ENGINES
    def test_does_not_leave_a_site_to_nobody(self, session: Session, site: Site, ada: MemberClient) -> None:
        begin_write(session)
        session.execute(text("DELETE FROM membership"))
        session.add(Membership(commenter_id=ada.commenter_id, site_id=site.id, role=Role.OWNER))
        session.commit()
        number = write(session, site, "Mine", by=ada.commenter_id)
        answer = ada.post("/account/delete", {"texts": "remove", **SURE})
        assert answer.status_code == 403
        assert "only owner of Blog" in answer.text
        assert stored(session, number).source == "Mine"
        with pytest.raises(ForbiddenError):
            erasure.erase(session, ada.commenter_id, Texts.KEEP)
