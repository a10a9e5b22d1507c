"""One of everything in the admin view, and the addresses of all its pages, found by themselves from the URL map."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import ban_list, bulk_decisions, notes, team
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.endpoints import endpoints
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.domain.fields import Guest
from commentsvc.domain.sites import sites
from commentsvc.models import (
    Action,
    BanKind,
    Comment,
    Delivery,
    DeliveryState,
    DeliveryTry,
    EndpointKind,
    Event,
    Membership,
    Pressure,
    Report,
    Role,
    Status,
    Ticket,
    now,
)
from tests.conftest import SECRET
from tests.support.admin_queue import AdminQueue
from tests.support.browser_client import link_for

LONG = "Donaudampfschifffahrtsgesellschaftskapitaensmuetzenhersteller"
WIDE = Guest(f"{LONG} & Co", f"{LONG.lower()}@mail.example", f"https://{LONG.lower()}.example/{LONG}")
WHO = AuthorRef.parse(f"email:{WIDE.email}")
FURTHER = {
    "new_origin.page": ["?origin=https%3A%2F%2Fnew.example"],
    "queue.listing": [
        "?status=reported",
        "?status=spam",
        "?q=word&provider=guest&since=2026-01-01",
        "?status=trash&q=none",
        "?status=all&kind=comment",
    ],
    "emptying.empty": ["?status=spam", "?status=trash"],
    "people.recent": ["?q=don", "?q=nobody"],
    "people.detail": [f"?who={WHO}"],
    "guest_erasure.erase": [f"?who={WHO}"],
    "threads.listing": ["?q=swifts", "?q=nothing"],
    "thread_moves.preview": ["?into={other}"],
    "thread_moves.move_preview": ["?to={second}"],
    "site_moves.dry_run": ["?old=https://blog.example/&new=https://blog.example/new/"],
}
"""What pages show when more is asked of them; these make sense only so, or are another page then."""
ASKED = {"people.detail", "guest_erasure.erase", "emptying.empty", "new_origin.page"}
"""Pages that need to be asked for something."""
DOWNLOADS = {"exports.download"}


def seeded(it: AdminQueue) -> dict[str, Any]:
    """Fill a site with one of everything, long words among it; return what routes ask for by name."""
    one = it.write(
        f"Long {LONG} " + "word " * 400, status=Status.APPROVED, guest=WIDE, title=f"On {LONG * 2}"
    )
    it.write("An answer", parent=one, network="n" * 64)
    thrown = it.write("Cheap casino", path="/other", title="Other swifts", guest=WIDE)
    it.write("Held " * 30, guest=WIDE)
    me, at = it.session.scalars(select(Membership)).one(), now()
    moderator_id, site_id = me.commenter_id, it.site_id
    ada = it.person(f"Ada {LONG}", moderates=True)
    it.write("By an account", by=ada.id)
    begin_write(it.session)
    bulk_decisions.decide(it.session, site_id, {thrown: None}, Status.SPAM, moderator_id=moderator_id, at=at)
    action = it.session.scalars(select(Action)).one().id
    note = notes.add(it.session, site_id, WHO, "Ada", f"Knows {LONG * 3}", moderator_id=moderator_id, at=at)
    for value in ("casino.example", f"{LONG.lower()}.example"):
        target = ban_list.parse_typed(BanKind.DOMAIN, value)
        bans = ban_list.add(
            it.session,
            site_id,
            [target],
            reason=f"Spam {LONG}",
            until=at + timedelta(9),
            moderator_id=moderator_id,
            at=at,
        )
    site = it.session.merge(
        sites.add(it.session, f"Second {LONG[:60]}", ["https://second.example"], owner_id=moderator_id)
    )
    invitation = team.invite(it.session, site, Role.MODERATOR, moderator_id=moderator_id, at=at)
    ticket = it.session.scalars(select(Ticket).where(Ticket.role.is_not(None))).one().id
    comment = it.session.get_one(Comment, one)
    comment.reports = 9
    for number in range(9):
        it.session.add(
            Report(comment_id=one, reporter_hash=str(number), reason="abuse", note=f"{LONG} {number}")
        )
    there = it.session.get_one(Comment, thrown).thread_id
    for thread_id, step in ((None, 2), (there, 1)):
        reason = f"40 comments came in an hour. {LONG}"
        it.session.add(Pressure(site_id=site_id, thread_id=thread_id, step=step, reason=reason))
    endpoint = seed_endpoint(it, moderator_id)
    results = {
        "comment_id": one, "site_id": site_id, "action_id": action, "thread_id": comment.thread_id,
        "ban_id": bans[0].id, "membership_id": me.id, "ticket_id": ticket, "note_id": note.id,
        "other": there, "second": site.id, "invitation": invitation, "endpoint_id": endpoint, "kind": "slack",
    }  # fmt: skip
    it.session.commit()
    return results


def seed_endpoint(it: AdminQueue, owner_id: int) -> int:
    """Add a webhook that fails, with a log; return its number."""
    draft = EndpointDraft(f"To {LONG}"[:80], url=f"https://{LONG.lower()}.example/", events=["comment.held"])
    endpoint, _ = endpoints.add(
        *(it.session, SECRET, []),
        site_id=it.site_id,
        kind=EndpointKind.WEBHOOK,
        draft=draft,
        person_id=owner_id,
        at=now(),
    )
    endpoint.failing_since = now()
    for state in DeliveryState:
        waits = now() + timedelta(hours=1) if state is DeliveryState.WAITING else None
        told = Delivery(endpoint_id=endpoint.id, event=Event.REMOVED, state=state, next_attempt_at=waits)
        it.session.add(told)
        it.session.flush()
        it.session.add(DeliveryTry(delivery_id=told.id, at=now(), status=500, answer=LONG * 3))
    return endpoint.id


def pages(it: AdminQueue, known: dict[str, Any]) -> list[str]:
    """Every page there is to see, with and without further questions.

    A route with an argument of another name fails here, and so asks to be covered.
    """
    token = {
        "sign_in.ask": link_for(it.session, accounts.operator(it.session)),
        "invitation.page": known["invitation"],
    }
    results = []
    with it.app.test_request_context(base_url=it.owner.base_url):
        adapter = it.app.url_map.bind("127.0.0.1")
        for rule in it.app.url_map.iter_rules():
            is_page = rule.rule.startswith("/admin") and rule.endpoint not in DOWNLOADS
            if not is_page or "GET" not in (rule.methods or ()):
                continue
            ids = known | {"token": token.get(rule.endpoint)}
            path = adapter.build(rule.endpoint, {name: ids[name] for name in rule.arguments})
            plain = [] if rule.endpoint in ASKED else [""]
            results += [path + query.format(**known) for query in (*plain, *FURTHER.get(rule.endpoint, []))]
    return results
