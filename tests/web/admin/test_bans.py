"""Banning people, networks and domains in the admin view, and lifting bans again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import ban_list
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.comments import comment_text
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads.threads import address_on
from commentsvc.errors import BannedError
from commentsvc.models import Action, Ban, BanKind, Comment, Commenter, Membership, Role, Site, now
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import post_comment
from tests.web.admin.test_admin import ENGINES, elsewhere, moderator, owner, session, site, visitor, write

__all__ = ["elsewhere", "moderator", "owner", "session", "site", "visitor"]

EVE = Guest("Eve", "Eve@mail.example", "https://www.pills.example/eve")
WEEK = {"length": "7", "reason": "Insults"}


def stored(session: Session) -> list[Ban]:
    session.rollback()
    return list(session.scalars(select(Ban).order_by(Ban.id)))


def log(session: Session) -> list[tuple[str, str]]:
    session.rollback()
    return [(one.kind, one.summary) for one in session.scalars(select(Action).order_by(Action.id))]


def signed(session: Session, site: Site, *, commenter_id: int | None = None) -> Comment:
    """A comment that tells all that one can of its author."""
    begin_write(session)
    comment = post_comment(
        session,
        address_on(session.get_one(Site, site.id), f"{BLOG}/swifts"),
        comment_text.from_source("See [this](https://shop.example/x)", longest=1000),
        Author(
            commenter_id=commenter_id,
            guest=Guest() if commenter_id else EVE,
            author_key_hash="a" * 64,
            network_hash="b" * 64,
        ),
        at=now(),
    )
    session.commit()
    return comment


def account(session: Session, name: str = "Mallory") -> Commenter:
    begin_write(session)
    commenter = Commenter(name=name)
    session.add(commenter)
    session.commit()
    return commenter


@ENGINES
def test_a_guest_is_banned_by_all_that_their_comment_tells(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    path = f"/admin/comments/{signed(session, site).id}/ban"
    page = moderator.page(path)
    for word in (
        "The e-mail address eve@mail.example",
        "The browser",
        "The network",
        "Links to pills.example",
    ):
        assert word in page
    assert page.count(" checked>") == 2
    assert "a" * 64 not in page
    assert "b" * 64 not in page
    chosen = ["email", "author", "network", "domain:pills.example"]
    answer = moderator.post(path, {**WEEK, "targets": chosen})
    assert answer.status_code == 303
    assert [one.kind for one in stored(session)] == [
        BanKind.EMAIL,
        BanKind.AUTHOR,
        BanKind.NETWORK,
        BanKind.DOMAIN,
    ]
    for author, hosts in (
        (Author(Guest(email="EVE@mail.example")), []),
        (Author(author_key_hash="a" * 64), []),
        (Author(network_hash="b" * 64), []),
        (Author(), ["shop.pills.example"]),
    ):
        with pytest.raises(BannedError):
            bans.require_not_banned(session, site.id, author, hosts=hosts, at=now())
    assert {kind for kind, _ in log(session)} == {"ban.add"}
    assert log(session)[0][1].startswith("Banned Eve by e-mail address until ")


@ENGINES
def test_a_person_is_banned_by_their_account_and_let_in_again(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    mallory = account(session)
    comment = signed(session, site, commenter_id=mallory.id)
    moderator.post(f"/admin/comments/{comment.id}/ban", {**WEEK, "targets": ["person"]})
    (ban,) = stored(session)
    assert (ban.kind, ban.value, ban.label, ban.reason) == (
        BanKind.PERSON,
        str(mallory.id),
        "Mallory",
        "Insults",
    )
    assert ban.until is not None
    assert timedelta(days=6) < ban.until - now() <= timedelta(days=7)
    page = moderator.page(f"/admin/sites/{site.id}/people/one?who=commenter:{mallory.id}")
    assert "Insults" in page
    assert "Ban more" in page
    number = ban.id
    assert moderator.post(f"/admin/bans/{number}/lift").status_code == 303
    assert stored(session) == []
    assert [kind for kind, _ in log(session)] == ["ban.add", "ban.lift"]
    assert moderator.post(f"/admin/bans/{number}/lift").status_code == 404


def test_who_looks_after_the_site_is_not_banned(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    mallory = account(session)
    comment = signed(session, site, commenter_id=mallory.id)
    begin_write(session)
    session.add(Membership(commenter_id=mallory.id, site_id=site.id, role=Role.MODERATOR))
    session.commit()
    answer = moderator.post(f"/admin/comments/{comment.id}/ban", {**WEEK, "targets": ["person"]})
    assert answer.status_code == 403
    assert "Mallory has a role on this site" in answer.text
    assert 'value="Insults"' in answer.text
    assert stored(session) == []


@ENGINES
@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("email", " Eve@Mail.example ", "eve@mail.example"),
        ("network", "192.0.2.7/24", "192.0.2.0/24"),
        ("network", "2001:db8::1", "2001:db8::1/128"),
        ("domain", "https://www.Pills.example/buy", "pills.example"),
    ],
)
def test_what_is_typed_is_banned(
    session: Session, site: Site, moderator: BrowserClient, kind: str, typed: str, value: str
) -> None:
    path = f"/admin/sites/{site.id}/bans"
    data = {"kind": kind, "value": typed, "length": "good", "reason": " Spam \n again "}
    assert moderator.post(path, data).status_code == 303
    (ban,) = stored(session)
    assert (ban.kind, ban.value, ban.reason, ban.until) == (BanKind(kind), value, "Spam again", None)
    assert "Permanently" in moderator.page(path)


@pytest.mark.parametrize(
    ("field", "changed", "fault"),
    [
        ("value", {"value": "nobody"}, "Invalid email address"),
        ("value", {"kind": "network", "value": "here"}, "Please enter an address such as"),
        ("value", {"kind": "network", "value": "1.2.3.4/99"}, "Please enter an address such as"),
        ("value", {"kind": "network", "value": "0.0.0.0/0"}, "too wide"),
        ("value", {"kind": "domain", "value": "no domain"}, "Please enter a domain"),
        ("kind", {"kind": "person", "value": "1"}, "Not a valid choice"),
        ("length", {"length": "8"}, "Not a valid choice"),
        ("reason", {"reason": " \0 "}, "Please enter a reason"),
        ("until", {"length": "until"}, "Please enter the last day"),
        ("until", {"length": "until", "until": "2020-01-01"}, "not over yet"),
        ("until", {"length": "until", "until": "9999-12-31"}, "an earlier day"),
        ("until", {"length": "until", "until": "soon"}, "Not a valid date"),
    ],
)
def test_faults_are_told_beside_their_field(
    session: Session, site: Site, moderator: BrowserClient, field: str, changed: dict[str, str], fault: str
) -> None:
    data = {"kind": "email", "value": "eve@mail.example", **WEEK, **changed}
    answer = moderator.post(f"/admin/sites/{site.id}/bans", data)
    assert answer.status_code == 422
    told = answer.text.partition(f'id="{field}-error">')[2].partition("<")[0]
    assert fault in told
    assert stored(session) == []


def test_a_ban_by_nothing_is_none(session: Session, site: Site, moderator: BrowserClient) -> None:
    path = f"/admin/comments/{signed(session, site).id}/ban"
    for targets in ([], ["person"], ["domain:github.com"]):
        answer = moderator.post(path, {**WEEK, "targets": targets})
        assert answer.status_code == 422
        assert 'id="targets-error"' in answer.text
    assert stored(session) == []


@ENGINES
def test_banning_twice_changes_the_end_and_the_reason(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    path = f"/admin/sites/{site.id}/bans"
    for reason, length in (("First", "1"), ("Second", "good")):
        data = {"kind": "email", "value": "eve@mail.example", "length": length, "reason": reason}
        assert moderator.post(path, data).status_code == 303
    (ban,) = stored(session)
    assert (ban.reason, ban.until) == ("Second", None)
    assert len(log(session)) == 2


@ENGINES
def test_the_list_goes_on(session: Session, site: Site, moderator: BrowserClient, owner: Commenter) -> None:
    begin_write(session)
    for number in range(ban_list.PAGE + 1):
        target = ban_list.parse_typed(BanKind.DOMAIN, f"d{number}.example")
        ban_list.add(session, site.id, [target], reason="x", until=None, moderator_id=owner.id, at=now())
    session.commit()
    first = moderator.page(f"/admin/sites/{site.id}/bans")
    assert "Earlier bans" in first
    assert "Links to d0.example" not in first
    last = stored(session)[1].id
    assert "Links to d0.example" in moderator.page(f"/admin/sites/{site.id}/bans?after={last}")


def test_a_ban_that_is_over_says_so(
    session: Session, site: Site, moderator: BrowserClient, owner: Commenter
) -> None:
    begin_write(session)
    target, then = ban_list.parse_typed(BanKind.EMAIL, "eve@mail.example"), now() - timedelta(days=2)
    until = then + timedelta(days=1)
    ban_list.add(session, site.id, [target], reason="x", until=until, moderator_id=owner.id, at=then)
    session.commit()
    assert "Ended on" in moderator.page(f"/admin/sites/{site.id}/bans")


@ENGINES
def test_bans_of_another_site_do_not_exist(
    app: Flask, session: Session, elsewhere: Site, moderator: BrowserClient, owner: Commenter
) -> None:
    comment = write(session, elsewhere)
    begin_write(session)
    target = ban_list.parse_typed(BanKind.EMAIL, "ada@example.org")
    ban_list.add(session, elsewhere.id, [target], reason="x", until=None, moderator_id=owner.id, at=now())
    session.commit()
    (ban,) = stored(session)
    data = {"kind": "email", "value": "eve@mail.example", **WEEK}
    assert moderator.post(f"/admin/bans/{ban.id}/lift").status_code == 404
    assert moderator.post(f"/admin/sites/{elsewhere.id}/bans", data).status_code == 404
    assert moderator.get(f"/admin/comments/{comment.id}/ban").status_code == 404
    path = f"/admin/comments/{comment.id}/ban"
    assert moderator.post(path, {**WEEK, "targets": ["email"]}).status_code in {404, 422}
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Ban)) == 1
