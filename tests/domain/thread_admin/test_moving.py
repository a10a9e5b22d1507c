"""A thread changes hands between two sites of one owner, with everything that belongs to it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import merging, moving, renaming
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Comment, Commenter, Membership, Role, Site, Thread
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import NOON, Pen, article
from tests.support.guest_client import contents

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
OTHER = "https://other.example"


@pytest.fixture
def other(session: Session, site: Site) -> Site:
    return sites.add(session, "Other", [OTHER], owner_id=accounts.operator(session).id)


@ENGINES
class TestTheRule:
    def test_comments_and_aliases_follow(self, session: Session, site: Site, other: Site) -> None:
        pen = article(session, site)
        comment = pen.write()
        thread = pen.thread
        renaming.rename(session, thread, url=f"{BLOG}/new", moderator_id=None, at=NOON)
        action = moving.move(session, thread, other, moderator_id=None, at=NOON)
        assert threads.find(session, pen.address) is None
        assert session.get_one(Comment, comment.id).site_id == other.id
        for path in ("/article", "/new"):
            result = threads.find(session, threads.address_on(other, BLOG + path))
            assert result is not None
            assert result.id == thread.id
        moving.undo(session, action, at=NOON)
        assert pen.thread.site_id == session.get_one(Comment, comment.id).site_id == site.id
        with pytest.raises(InvalidFieldsError):
            moving.undo(session, action, at=NOON)

    def test_another_thread_of_the_same_number_stays(self, session: Session, site: Site, other: Site) -> None:
        stays, pen = Pen(session, threads.address_on(other, f"{OTHER}/stays")), article(session, site)
        stays.write()
        pen.write()
        number = pen.thread.id
        action = moving.move(session, pen.thread, other, moderator_id=None, at=NOON)
        merging.merge(session, session.get_one(Thread, number), stays.thread, moderator_id=None, at=NOON)
        later = Thread(id=number, site_id=other.id, key="later", url=f"{OTHER}/later", created_at=NOON)
        session.add(later)
        session.flush()
        with pytest.raises(InvalidFieldsError):
            moving.undo(session, action, at=NOON)
        assert later.site_id == other.id

    def test_a_taken_key_is_refused(self, session: Session, site: Site, other: Site) -> None:
        pen = article(session, site)
        pen.write()
        Pen(session, threads.address_on(other, pen.address.url)).write()
        with pytest.raises(InvalidFieldsError, match="already"):
            moving.move(session, pen.thread, other, moderator_id=None, at=NOON)

    def test_what_both_sites_imported_stays_told_apart(
        self, session: Session, site: Site, other: Site
    ) -> None:
        pen, there = article(session, site), Pen(session, threads.address_on(other, f"{OTHER}/x"))
        one, twin = pen.write(), there.write()
        one.transfer_key = twin.transfer_key = "wordpress 1"
        session.flush()
        action = moving.move(session, pen.thread, other, moderator_id=None, at=NOON)
        assert session.get_one(Comment, one.id).transfer_key is None
        moving.undo(session, action, at=NOON)
        session.expire_all()
        assert session.get_one(Comment, one.id).transfer_key == "wordpress 1"


class TestThePage:
    def test_only_who_owns_both_sites_moves_a_thread(self, app: Flask) -> None:
        with app.app_context():
            engine = db.engine
        with Session(engine, expire_on_commit=False) as session:
            begin_write(session)
            owner, half = accounts.operator(session), Commenter(name="Half")
            session.add(half)
            session.flush()
            blog = sites.add(session, "Blog", [BLOG], owner_id=owner.id)
            other = sites.add(session, "Other", [OTHER], owner_id=owner.id)
            foreign = sites.add(session, "Foreign", ["https://foreign.example"], owner_id=half.id)
            session.add_all(
                [
                    Membership(commenter_id=half.id, site_id=blog.id, role=Role.MODERATOR),
                    Membership(commenter_id=half.id, site_id=other.id, role=Role.OWNER),
                ]
            )
            number = article(session, blog).write().thread_id
            session.commit()
            visitor, second = (
                BrowserClient(app).sign_in(session, owner),
                BrowserClient(app).sign_in(session, half),
            )
            path = f"/admin/threads/{number}/move"
            before = contents(app)
            for to in (other.id, foreign.id):
                assert second.get(f"{path}?to={to}").status_code == 404
                assert second.post(path, {"to": str(to)}).status_code == 404
            for to in (str(foreign.id), "", "x", "999"):
                assert visitor.post(path, {"to": to}).status_code == 404
            assert "will belong to" in visitor.page(f"{path}?to={other.id}")
            assert contents(app) == before
            answer = visitor.post(path, {"to": str(other.id)})
            assert answer.status_code == 303
            undo = re.search(
                r'action="(/admin/threads/actions/\d+/undo)"', visitor.page(f"/admin/threads/{number}")
            )
            assert undo is not None
            assert second.post(undo[1]).status_code == 404
            session.rollback()
            assert session.scalar(select(Thread.site_id)) == other.id
            assert visitor.post(undo[1]).status_code == 303
            session.rollback()
            assert session.scalar(select(Thread.site_id)) == blog.id
