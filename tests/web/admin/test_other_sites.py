"""The view's routes with everything that another site really has: none of it exists, whichever site is named."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import api_tokens
from commentsvc.domain.admin import ban_list, bulk_decisions, notes, team
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.sites import sites
from commentsvc.domain.thread_admin import merging, moving, remapping, renaming
from commentsvc.models import (
    Action,
    BanKind,
    Comment,
    Delivery,
    Endpoint,
    EndpointKind,
    Event,
    FoundBy,
    Membership,
    Pressure,
    Role,
    Site,
    SocialLink,
    SocialOrigin,
    Status,
    Thread,
    Ticket,
    TokenScope,
    now,
)
from tests.support.browser_client import BrowserClient
from tests.support.guest_client import contents
from tests.web.admin.test_admin import (
    ENGINES,
    OPEN,
    OTHER,
    addresses,
    elsewhere,
    moderator,
    owner,
    send,
    session,
    site,
    visitor,
    write,
)

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]


@dataclass
class Things:
    """What a site has, by the names that routes give it."""

    ids: dict[str, int]
    actions: dict[str, int]
    """One of each kind that can be undone, by kind."""


def things_of(session: Session, site: Site, comment: Comment) -> Things:
    """Do all there is to do on a site, as its owner."""
    begin_write(session)
    site = session.get_one(Site, site.id)
    me = session.scalars(select(Membership).where(Membership.site_id == site.id)).one()
    moderator_id, at = me.commenter_id, now()
    bulk_decisions.decide(session, site.id, {comment.id: None}, Status.SPAM, moderator_id=moderator_id, at=at)
    team.invite(session, site, Role.MODERATOR, moderator_id=moderator_id, at=at)
    ada = AuthorRef.parse("email:ada@example.org")
    note = notes.add(session, site.id, ada, "Ada", "A note", moderator_id=moderator_id, at=at)
    target = ban_list.parse_typed(BanKind.DOMAIN, "casino.example")
    (ban,) = ban_list.add(
        session, site.id, [target], reason="Spam", until=None, moderator_id=moderator_id, at=at
    )
    here = session.get_one(Comment, comment.id).thread
    renaming.rename(session, here, url=f"{OTHER}/renamed", moderator_id=moderator_id, at=at)
    plan = remapping.plan(session, site, old=f"{OTHER}/", new=f"{OTHER}/new/")
    remapping.apply(session, site, plan, moderator_id=moderator_id, at=at)
    second = sites.add(session, "Second", ["https://second.example"], owner_id=moderator_id)
    moving.move(session, session.get_one(Thread, here.id), second, moderator_id=moderator_id, at=at)
    session.flush()
    first = session.scalars(select(Action).where(Action.kind == moving.KIND)).one()
    moving.undo(session, first, at=at)
    first.undone_at = None
    other = Thread(site_id=site.id, key="other.example/other", url=f"{OTHER}/other", created_at=at)
    session.add(other)
    session.flush()
    merging.merge(session, other, session.get_one(Thread, here.id), moderator_id=moderator_id, at=at)
    pressed = Pressure(site_id=site.id, step=1, reason="25 came.")
    session.add(pressed)
    endpoint = Endpoint(site_id=site.id, kind=EndpointKind.WEBHOOK, name="Hook", host="x.example", sealed="")
    session.add(endpoint)
    session.flush()
    link = SocialLink(
        thread_id=here.id,
        origin=SocialOrigin.MASTODON,
        address="https://social.example/@me/1",
        found_by=FoundBy.ADMIN,
    )
    session.add(link)
    session.flush()
    told = Delivery(site_id=site.id, endpoint_id=endpoint.id, event=Event.TEST)
    session.add(told)
    token, _ = api_tokens.create(
        session, "Robot", [TokenScope.READ], [site.id], maker_id=moderator_id, days=1, at=at
    )
    session.commit()
    ticket = session.scalars(select(Ticket).where(Ticket.site_id == site.id)).one()
    kinds = {"comments.spam", merging.KIND, moving.KIND, renaming.KIND, remapping.KIND}
    actions = {one.kind: one.id for one in session.scalars(select(Action).where(Action.kind.in_(kinds)))}
    assert set(actions) == kinds
    ids = {"comment_id": comment.id, "thread_id": here.id, "ban_id": ban.id, "note_id": note.id}
    ids |= {"membership_id": me.id, "ticket_id": ticket.id, "pressure_id": pressed.id}
    ids |= {"endpoint_id": endpoint.id, "delivery_id": told.id, "token_id": token.id, "link_id": link.id}
    session.rollback()
    return Things(ids, actions)


@ENGINES
def test_what_another_site_has_does_not_exist(
    app: Flask, session: Session, site: Site, elsewhere: Site, moderator: BrowserClient
) -> None:
    theirs = things_of(session, elsewhere, write(session, elsewhere, "A secret"))
    mine, other = site.id, elsewhere.id
    session.rollback()
    before = contents(app)
    tried = set()
    for kind, action_id in theirs.actions.items():
        for site_id in (other, mine):
            for blueprint, method, path in addresses(app, site_id=site_id, action_id=action_id, **theirs.ids):
                # What names my site alone is mine.
                only_mine = site_id == mine and re.search(r"/sites/\d+\b(?!.*/\d)", path)
                if (
                    blueprint in OPEN
                    or path in {"/admin", "/admin/language", "/admin/threads"}
                    or only_mine
                    or (method, path) in tried
                ):
                    continue
                tried.add((method, path))
                assert send(moderator, method, path) == 404, f"{kind}: {method} {path}"
    assert contents(app) == before
    assert (("POST", f"/admin/sites/{mine}/activity/{theirs.actions['comments.spam']}/undo")) in tried
