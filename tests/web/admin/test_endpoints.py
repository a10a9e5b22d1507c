"""Webhooks and chat in the admin view: secrets are shown once, only to owners; links in a chat decide."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from commentsvc.cli.background_work import BackgroundWork
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.models import Action, Comment, Delivery, Endpoint, Membership, Status
from commentsvc.serving import access_log
from commentsvc.web.context import services_of
from tests.conftest import environment
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.receiver import Receiver, Reply, receiver
from tests.support.subscribers import press

SECRET = re.compile(r'id="secret" class="secret" value="(whsec_[^"]+)"')


@pytest.fixture
def came() -> Iterator[Receiver]:
    with receiver() as here:
        yield here


@pytest.fixture
def it(app: Flask, settings: Settings, came: Receiver) -> Iterator[AdminQueue]:
    allowed = environment(settings.data_dir, COMMENTSVC_PRIVATE_ENDPOINTS=came.origin)
    services_of(app).settings = Settings.from_env(allowed)
    with queue_in(app) as queue:
        yield queue


def pages_of(it: AdminQueue) -> str:
    return f"/admin/sites/{it.site_id}/endpoints"


def work(it: AdminQueue) -> None:
    with it.app.app_context():
        BackgroundWork(db.engine, services_of(it.app).settings).once(it.session)
        it.session.rollback()


def test_an_owner_adds_tests_changes_and_removes_a_webhook(it: AdminQueue, came: Receiver) -> None:
    pages = pages_of(it)
    assert "Slack, Mattermost or Rocket.Chat" in it.owner.page(pages)
    wrong = it.owner.post(f"{pages}/new/webhook", {"name": "", "url": "http://10.0.0.1/", "events": []})
    assert wrong.status_code == 422
    assert "Only https addresses are allowed." in wrong.text
    fields = {"name": "My <b>hook</b>", "url": f"{came.origin}/hook/very-secret"}
    added = it.owner.post(f"{pages}/new/webhook", fields | {"events": ["comment.published", "nonsense"]})
    assert added.status_code == 200
    assert added.headers["Cache-Control"] == "no-store"
    secret = SECRET.search(added.text)
    assert secret
    endpoint = it.session.scalars(select(Endpoint)).one()
    page = f"{pages}/{endpoint.id}"
    assert endpoint.events == " comment.published "
    shown = it.owner.page(page)
    assert secret[1] not in shown
    assert "very-secret" not in shown
    assert "My &lt;b&gt;hook&lt;/b&gt;" in shown

    came.replies = [Reply(500, body=b"<script>alert(1)</script>\x00" * 50)]
    assert it.owner.post(f"{page}/press", {"do": "test"}).status_code == 303
    work(it)
    shown = it.owner.page(page)
    assert "<b>500</b> <bdi>&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "Next attempt" in shown
    rotated = SECRET.search(it.owner.post(f"{page}/secret").text)
    assert rotated
    assert rotated[1] != secret[1]
    delivery = it.session.scalars(select(Delivery)).one()
    it.session.rollback()
    assert it.owner.post(f"{page}/deliveries/{delivery.id}/again").status_code == 303
    work(it)
    assert [request.path for request in came.requests] == ["/hook/very-secret"] * 2
    assert it.owner.post(page, {"name": "Other", "url": "", "events": ["thread.closed"]}).status_code == 303
    assert "Other" in it.owner.page(page)
    assert it.owner.post(f"{page}/press", {"do": "off"}).status_code == 303
    assert it.owner.post(f"{page}/press", {"do": "test"}).status_code == 400
    assert it.owner.post(f"{page}/press", {"do": "on"}).status_code == 303
    assert it.owner.post(f"{page}/remove").status_code == 303
    assert it.session.scalars(select(Endpoint)).all() == []
    kinds = it.session.scalars(select(Action.kind).where(Action.kind.startswith("endpoint."))).all()
    it.session.rollback()
    assert kinds == [f"endpoint.{what}" for what in ("add", "rotate", "change", "off", "on", "remove")]


def test_only_an_owner_of_the_site_sees_or_changes_anything(it: AdminQueue, came: Receiver) -> None:
    pages = pages_of(it)
    fields = {"name": "Hook", "url": f"{came.origin}/hook", "events": ["comment.published"]}
    it.owner.post(f"{pages}/new/webhook", fields)
    number = it.session.scalars(select(Endpoint.id)).one()
    it.session.rollback()
    moderator = it.moderator("Mo")
    assert "Webhooks and chat" not in moderator.page("/admin")
    for path in ("", "/new/webhook", f"/{number}"):
        assert moderator.get(f"{pages}{path}").status_code == 404
    gone = (
        "/new/webhook",
        f"/{number}",
        *(f"/{number}/{do}" for do in ("secret", "press", "remove")),
    )
    for path in gone:
        assert moderator.post(f"{pages}{path}", fields | {"do": "on"}).status_code == 404
    assert it.owner.get(f"{pages}/new/carrier-pigeon").status_code == 404
    assert it.owner.get(f"{pages}/{number + 1}").status_code == 404
    assert it.owner.get(f"/admin/sites/{it.site_id + 1}/endpoints/{number}").status_code == 404


def test_a_link_in_a_chat_decides_for_its_owner_until_their_role_or_the_chat_ends(
    it: AdminQueue, came: Receiver
) -> None:
    pages = pages_of(it)
    form = it.owner.page(f"{pages}/new/slack")
    assert "Everybody who reads the channel can then decide on these comments" in form
    chat = {"name": "Team", "url": f"{came.origin}/slack", "events": ["comment.held"], "has_links": "y"}
    assert it.owner.post(f"{pages}/new/slack", chat).status_code == 303
    first, second = it.held(2)
    work(it)
    texts = [html.unescape(request.json["text"]) for request in came.requests]
    paths = [urlsplit(re.findall(r"Approve: (\S+)", text)[0]).path for text in texts]
    assert len(set(paths)) == 2
    assert paths[0].split("/")[4] not in access_log.shown_path(paths[0])
    shown = it.app.test_client().get(paths[0])
    assert (
        "This link was sent to the chat <strong><bdi>Team</bdi></strong>: everybody who reads it"
        in shown.text
    )
    assert it.statuses(first, second) == [Status.HELD] * 2
    assert "Done" in press(it.app, paths[0], do="approve").text
    assert it.statuses(first, second) == [Status.APPROVED, Status.HELD]
    assert "by a link in the chat <bdi>Team</bdi>" in it.owner.page(f"/admin/sites/{it.site_id}/activity")
    assert press(it.app, paths[1].replace("/approve", "x/approve"), do="approve").status_code == 404

    number = it.session.scalars(select(Endpoint.id)).one()
    it.session.rollback()
    it.owner.post(f"{pages}/{number}/press", {"do": "off"})
    assert press(it.app, paths[1], do="approve").status_code == 404
    it.owner.post(f"{pages}/{number}/press", {"do": "on"})
    assert it.app.test_client().get(paths[1]).status_code == 200
    begin_write(it.session)
    person = it.session.get_one(Endpoint, number).commenter_id
    it.session.query(Membership).filter(Membership.commenter_id == person).delete()
    it.session.commit()
    assert accounts.role_on(it.session, person or 0, it.site_id) is None
    it.session.rollback()
    assert press(it.app, paths[1], do="approve").status_code == 404
    assert it.session.get_one(Comment, second, populate_existing=True).status is Status.HELD
    it.session.rollback()
