"""The page that adds an origin: it shows what it would add, to whose site, and adds nothing before its button."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.models import Site
from tests.conftest import BASE_URL, BLOG
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser_client import BrowserClient

NEW = "https://www.blog.example"


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def send(who: BrowserClient, **fields: str) -> TestResponse:
    return who.post("/admin/origins", fields, token=who.token("/admin"))


def origins(it: AdminQueue) -> list[str]:
    it.session.rollback()
    it.session.expire_all()
    return [item.origin for item in it.session.get_one(Site, it.site_id).origins]


def test_an_owner_adds_an_origin_by_one_button(it: AdminQueue) -> None:
    page = it.owner.page(f"/admin/origins?origin={quote(NEW)}")
    assert f"Add <bdi>{NEW}</bdi></button>" in page
    assert BLOG in page
    assert origins(it) == [BLOG]
    answer = send(it.owner, origin=NEW, site=str(it.site_id))
    assert answer.status_code == 303
    assert origins(it) == [BLOG, NEW]
    send(it.owner, origin=f"{NEW}/", site=str(it.site_id))
    assert origins(it) == [BLOG, NEW]


def test_nobody_else_adds_one(it: AdminQueue) -> None:
    moderator = it.moderator("Mo")
    assert moderator.get(f"/admin/origins?origin={quote(NEW)}").status_code == 404
    assert send(moderator, origin=NEW, site=str(it.site_id)).status_code == 404
    begin_write(it.session)
    other = sites.add(
        it.session, "Other", ["https://other.example"], owner_id=accounts.operator(it.session).id
    )
    it.session.commit()
    assert send(it.owner, origin="https://other.example", site=str(it.site_id)).status_code == 422
    for origin in ("javascript:alert(1)", "https://*.blog.example", "null", BASE_URL):
        assert send(it.owner, origin=origin, site=str(it.site_id)).status_code in (404, 422), origin
    assert send(it.owner, origin=NEW, site="x").status_code == 400
    assert origins(it) == [BLOG]
    assert [item.origin for item in it.session.get_one(Site, other.id).origins] == ["https://other.example"]
