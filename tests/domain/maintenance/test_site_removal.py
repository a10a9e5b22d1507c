"""A removed site takes everything along, on both engines, and nothing of another site."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.maintenance import expired_comments, site_removal
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.errors import UnknownOriginError
from commentsvc.models import Action, ApiToken, ApiTokenSite, Comment, Site, Status, now
from tests.conftest import BLOG
from tests.support.comment_builders import Pen, article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
OTHER = "https://other.example"


def write_much(session: Session, site: Site) -> Pen:
    """Write roots, each with a reply, in two articles."""
    for path in ("/one", "/two"):
        pen = article(session, site, path)
        for _ in range(4):
            pen.write(to=pen.write())
    return pen


def test_a_token_goes_with_its_last_site(session: Session, site: Site) -> None:
    owner = accounts.operator(session)
    other = sites.add(session, "Other", [OTHER], owner_id=owner.id)
    session.flush()
    first, both = (ApiToken(commenter_id=owner.id, name=name, token_hash=name, scopes=[]) for name in "ab")
    session.add_all([first, both])
    session.flush()
    here, there = site.id, other.id
    for token, site_id in ((first, here), (both, here), (both, there)):
        session.add(ApiTokenSite(token_id=token.id, site_id=site_id))
    session.commit()
    site_removal.remove(session, here, progress=lambda _: None)
    assert session.scalars(select(ApiToken.name)).all() == ["b"]


@ENGINES
def test_nothing_of_a_removed_site_is_left(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_removal, "BATCH", 3)
    write_much(session, site)
    other = sites.add(session, "Other", [OTHER], owner_id=accounts.operator(session).id)
    session.flush()
    kept = Pen(session, threads.address_on(other, f"{OTHER}/article")).write().id
    session.commit()
    assert site_removal.contents(session, site.id) == site_removal.SiteContents(threads=2, comments=16)
    counted: list[int] = []
    site_removal.remove(session, site.id, progress=counted.append)
    assert sum(counted) == 16
    assert session.scalars(select(Comment.id)).all() == [kept]
    for table in Base.metadata.sorted_tables:
        if "site_id" in table.c:
            gone = select(func.count()).select_from(table).where(table.c.site_id != other.id)
            assert session.scalar(gone) == 0, table.name
    with pytest.raises(UnknownOriginError):
        threads.locate(session, url=f"{BLOG}/one")


@ENGINES
def test_an_interrupted_removal_is_finished_by_another(session: Session, site: Site) -> None:
    write_much(session, site)
    session.commit()

    def stop(_number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        site_removal.remove(session, site.id, progress=stop)
    session.rollback()
    with pytest.raises(UnknownOriginError):  # nobody can comment meanwhile
        threads.locate(session, url=f"{BLOG}/one")
    site_removal.remove(session, site.id, progress=lambda _number: None)
    assert session.scalar(select(func.count()).select_from(Site)) == 0


@ENGINES
def test_chosen_comments_are_deleted_batch_by_batch(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expired_comments, "BATCH", 2)
    pen = article(session, site)
    chosen = [pen.write().id for _ in range(5)]
    answered, approved = pen.write(), pen.write()
    pen.write(to=answered)
    chosen.append(answered.id)
    for one in chosen:
        decisions.decide(session, session.get_one(Comment, one), Status.TRASH)
    session.commit()
    assert expired_comments.removable(session, [*chosen, approved.id]) == chosen
    moderator, counted = accounts.operator(session).id, []
    session.rollback()
    done = expired_comments.remove_chosen(
        session, site.id, [*chosen, approved.id], moderator_id=moderator, at=now(), progress=counted.append
    )
    assert (done, sum(counted)) == (6, 7)
    begin_write(session)
    left = session.scalars(select(Comment).order_by(Comment.id)).all()
    assert [one.source for one in left][:1] == [expired_comments.EMPTY]
    assert [one.id for one in left][:2] == [answered.id, approved.id]
    (action,) = session.scalars(select(Action)).all()
    assert (action.kind, action.summary) == ("trash.delete", "Deleted for good: 6 comments.")
