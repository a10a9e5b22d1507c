"""A website moves: its threads are found under the new address and under the old one, and can be moved back."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import remapping
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Commenter, Site, Thread, ThreadAlias
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import NOON, Pen, article
from tests.support.guest_client import GuestClient, add_site, contents

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
NEW = "https://new.example"


@pytest.fixture
def moved(session: Session, site: Site) -> list[Pen]:
    """Three threads of a site that has a new home."""
    sites.set_origins(session, site, [BLOG, NEW])
    session.flush()
    pens = [article(session, site, path) for path in ("/blog/a", "/blog/b?p=1", "/blogger")]
    for pen in pens:
        pen.write()
    return pens


def plan(
    session: Session, site: Site, old: str = f"{BLOG}/blog/", new: str = f"{NEW}/"
) -> remapping.RemapPlan:
    return remapping.plan(session, site, old=old, new=new)


@ENGINES
class TestTheRule:
    def test_what_lies_below_the_prefix_moves(self, session: Session, site: Site, moved: list[Pen]) -> None:
        planned = plan(session, site)
        assert [(one.url, one.new_url) for one in planned.changes] == [
            (f"{BLOG}/blog/a", f"{NEW}/a"),
            (f"{BLOG}/blog/b?p=1", f"{NEW}/b?p=1"),
        ]
        number = moved[0].thread.id
        remapping.apply(session, site, planned, moderator_id=None, at=NOON)
        for url in (f"{NEW}/a", f"{BLOG}/blog/a"):
            result = threads.find(session, threads.locate(session, url=url))
            assert result is not None
            assert (result.id, result.url) == (number, f"{NEW}/a")

    def test_a_dry_run_changes_nothing(self, session: Session, site: Site, moved: list[Pen]) -> None:
        plan(session, site)
        assert not session.dirty
        assert {pen.thread.url for pen in moved} == {
            f"{BLOG}/{path}" for path in ("blog/a", "blog/b?p=1", "blogger")
        }

    def test_what_is_taken_stays(self, session: Session, site: Site, moved: list[Pen]) -> None:
        there = Pen(session, threads.address_on(site, f"{NEW}/a"))
        there.write(title="The new one")
        planned = plan(session, site)
        assert [one.taken for one in planned.changes] == ["The new one", None]
        remapping.apply(session, site, planned, moderator_id=None, at=NOON)
        assert moved[0].thread.url == f"{BLOG}/blog/a"

    def test_two_that_would_meet_do_not(self, session: Session, site: Site, moved: list[Pen]) -> None:
        sites.set_origins(session, site, [BLOG, NEW, "https://www.blog.example"])
        session.flush()
        Pen(session, threads.address_on(site, f"{NEW}/blog/a")).write()
        planned = plan(session, site, f"{BLOG}/", f"{NEW}/")
        assert [one.url for one in planned.moving] == [f"{BLOG}/blog/b?p=1", f"{BLOG}/blogger"]

    def test_undoing_restores_every_row(self, session: Session, site: Site, moved: list[Pen]) -> None:
        before = [(one.id, one.key, one.url) for one in session.scalars(select(Thread).order_by(Thread.id))]
        action = remapping.apply(session, site, plan(session, site), moderator_id=None, at=NOON)
        assert remapping.undo(session, action, at=NOON) == 2
        session.expire_all()
        after = [(one.id, one.key, one.url) for one in session.scalars(select(Thread).order_by(Thread.id))]
        assert after == before
        assert not session.scalars(select(ThreadAlias)).all()
        with pytest.raises(InvalidFieldsError):
            remapping.undo(session, action, at=NOON)

    def test_a_thread_named_by_an_id_keeps_its_key(
        self, session: Session, site: Site, moved: list[Pen]
    ) -> None:
        pen = Pen(session, threads.address_on(site, f"{BLOG}/blog/c", page_id="7"))
        pen.write()
        remapping.apply(session, site, plan(session, site), moderator_id=None, at=NOON)
        assert (pen.thread.key, pen.thread.url) == ("id:7", f"{NEW}/c")

    @pytest.mark.parametrize(
        ("old", "new"),
        [("", NEW), (BLOG, ""), (BLOG, "https://other.example"), ("x", NEW), (BLOG, "javascript:alert(1)")],
    )
    def test_odd_addresses_are_refused(
        self, session: Session, site: Site, moved: list[Pen], old: str, new: str
    ) -> None:
        with pytest.raises(InvalidFieldsError):
            plan(session, site, old, new)


class TestThePage:
    def test_first_what_would_change_then_the_change_then_the_way_back(self, app: Flask) -> None:
        site_id = add_site(app)
        GuestClient(app, f"{BLOG}/blog/a").posted()
        with app.app_context():
            engine = db.engine
        with Session(engine) as session:
            begin_write(session)
            owner, stranger = accounts.operator(session), Commenter(name="Stranger")
            session.add(stranger)
            session.flush()
            sites.add(session, "Other", ["https://other.example"], owner_id=stranger.id)
            session.commit()
            visitor, other = (
                BrowserClient(app).sign_in(session, owner),
                BrowserClient(app).sign_in(session, stranger),
            )
        path, data = f"/admin/threads/sites/{site_id}/remap", {"old": f"{BLOG}/blog/", "new": f"{BLOG}/"}
        before = contents(app)
        assert f"→ {BLOG}/a" in visitor.page(f"{path}?{urlencode(data)}")
        assert other.get(path).status_code == other.post(path, data).status_code == 404
        assert visitor.post(path, {**data, "new": "x"}).status_code == 422
        assert visitor.post(path, data, origin=BLOG).status_code == 403
        assert contents(app) == before
        assert visitor.post(path, data).status_code == 303
        page = visitor.page(path)
        assert "Moved 1 thread from" in page
        undo = page.split('action="/admin/threads/remaps/')[1].split('"')[0]
        assert other.post(f"/admin/threads/remaps/{undo}").status_code == 404
        assert visitor.post(f"/admin/threads/remaps/{undo}").status_code == 303
        assert "1 thread is back" in visitor.page(path)
        assert visitor.post(f"/admin/threads/remaps/{undo}").status_code == 404
