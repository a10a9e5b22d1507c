"""The service below a path of its host: with a proxy that passes the path on, and one that removes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.reading import avatars
from commentsvc.models import Site, Status, now
from commentsvc.serving.access_log import AccessLog, shown_path
from commentsvc.serving.base_path import BasePath
from commentsvc.setting_values import OWN_PATHS
from tests.conftest import BASE_URL, BLOG, dispose
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.guest_client import GuestClient
from tests.support.member_client import enter, person

BASE = "/comments"
_ADDRESS = re.compile(r'(?:href|src|action)="(/[^"]*)"')
_REFRESH = re.compile(r'content="0; ?url=(/[^"]*)"')
THREAD_PAGES = ("/embed", "/thread", "/embed/comments/1/report", "/thread/comments/1/report")
ADMIN_PAGES = (
    "/admin",
    "/admin?status=held&open=2",
    "/admin/comments/1",
    "/admin/comments/1/edit",
    "/admin/comments/1/reply",
    "/admin/comments/1/ban",
    "/admin/sites/1",
    "/admin/sites/1/activity",
    "/admin/sites/1/bans",
    "/admin/sites/1/endpoints",
    "/admin/sites/1/statistics",
    "/admin/sites/1/people",
    "/admin/threads/sites/1/remap",
    "/admin/sites/1/rules",
    "/admin/sites/1/sign-in",
    "/admin/threads/sites/1/split",
    "/admin/sites/1/team",
    "/admin/threads?site=1",
    "/admin/threads/1",
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, base_url=BASE_URL + BASE, mastodon=True)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    dispose(app)


@pytest.fixture
def queue(app: Flask) -> Iterator[AdminQueue]:
    """A site with a shown and a held comment, and its owner, signed in."""
    with queue_in(app) as queue:
        queue.write("Shown", status=Status.APPROVED)
        queue.write("Held")
        yield queue


@pytest.fixture
def reader(app: Flask, queue: AdminQueue) -> GuestClient:
    return GuestClient(app, url=f"{BLOG}/swifts")


def addresses(answer: TestResponse) -> list[str]:
    """Return every address from the root of the host in an answer."""
    where = [answer.headers["Location"]] if "Location" in answer.headers else []
    return where + _ADDRESS.findall(answer.text) + _REFRESH.findall(answer.text)


def is_below(address: str) -> bool:
    return address == BASE or address.startswith((f"{BASE}/", f"{BASE}?"))


@pytest.mark.parametrize("prefix", [BASE, ""], ids=["passed on", "removed"])
def test_a_thread_names_only_addresses_below_the_path(reader: GuestClient, prefix: str) -> None:
    for path in THREAD_PAGES:
        answer = reader.get(prefix + path)
        assert answer.status_code == 200, path
        result = addresses(answer)
        assert len(result) > 3, path
        assert [address for address in result if not is_below(address)] == [], path
    assert reader.get(f"{prefix}/thread", **{"as": "guest"}).status_code == 200


@pytest.mark.parametrize("prefix", [BASE, ""], ids=["passed on", "removed"])
def test_the_admin_view_names_only_addresses_below_the_path(queue: AdminQueue, prefix: str) -> None:
    for path in ADMIN_PAGES:
        answer = queue.owner.get(prefix + path)
        assert answer.status_code == 200, path
        result = addresses(answer)
        assert len(result) > 3, path
        assert [address for address in result if not is_below(address)] == [], path


def test_signing_in_and_out_leads_back_below_the_path(app: Flask, queue: AdminQueue) -> None:
    answer = queue.owner.post(f"{BASE}/admin/sign-out", token=queue.owner.token(f"{BASE}/admin"))
    assert (answer.status_code, answer.location) == (303, f"{BASE}/admin")
    signed_out = queue.owner.get(f"{BASE}/admin")
    assert signed_out.status_code == 401
    assert addresses(signed_out)
    assert all(map(is_below, addresses(signed_out)))


def test_a_visit_from_another_website_goes_on_below_the_path(queue: AdminQueue) -> None:
    answer = queue.owner.get(f"{BASE}/admin/sites/1", **{"Sec-Fetch-Site": "cross-site"})
    assert f"{BASE}/admin/sites/1?settled=1" in addresses(answer)
    assert all(map(is_below, addresses(answer)))


def test_a_persons_pages_name_only_addresses_below_the_path(app: Flask, queue: AdminQueue) -> None:
    site = queue.session.get_one(Site, queue.site_id)
    holder = person(queue.session)
    visitor = enter(app, queue.session, holder, site).visitor
    begin_write(queue.session)
    avatars.store(queue.session, holder.commenter_id, b"picture", at=now())
    queue.session.commit()
    queue.write("With a picture", by=holder.commenter_id, status=Status.APPROVED)
    for page in ("/thread?url=https%3A%2F%2Fblog.example%2Fswifts", "/account"):
        assert f'src="{BASE}/picture/{holder.commenter_id}/' in visitor.get(BASE + page).text, page
    for path in ("/account", "/account/settings", "/account/delete"):
        answer = visitor.get(BASE + path)
        assert answer.status_code == 200, path
        assert all(map(is_below, addresses(answer))), path
    stranger = app.test_client()
    assert stranger.get(f"{BASE}/account/settings").location == f"{BASE}/account"


def test_an_invitation_is_a_link_below_the_path(queue: AdminQueue) -> None:
    page = queue.owner.post(
        "/admin/sites/1/team", {"role": "moderator"}, token=queue.owner.token("/admin/sites/1/team")
    )
    assert f"{BASE_URL}{BASE}/admin/invite/" in page.text
    assert f"{BASE}{BASE}" not in page.text


def test_what_only_begins_like_the_path_is_not_below_it(reader: GuestClient) -> None:
    assert reader.get(f"{BASE}else/embed").status_code == 404
    assert reader.get(f"{BASE}embed").status_code == 404


def test_both_ways_are_one_page_in_the_cache(app: Flask, reader: GuestClient) -> None:
    first, second = reader.get(f"{BASE}/embed"), reader.get("/embed")
    assert first.data == second.data
    assert first.headers["ETag"] == second.headers["ETag"]
    again = reader.get(f"{BASE}/embed", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_the_script_knows_the_whole_address(reader: GuestClient) -> None:
    assert f'const WRITTEN = "{BASE_URL}{BASE}";' in reader.get(f"{BASE}/embed.js").text


def test_only_what_is_below_the_path_may_be_loaded(reader: GuestClient) -> None:
    policy = reader.get(f"{BASE}/embed").headers["Content-Security-Policy"]
    assert re.search(f"script-src {BASE_URL}{BASE}/ 'sha256-[^ ']+';", policy)
    assert re.search(f"style-src {BASE_URL}{BASE}/ 'sha256-[^ ']+';", policy)
    assert f"form-action {BASE_URL}{BASE}/;" in policy
    assert f"frame-ancestors {BLOG}" in policy
    assert "'self'" not in policy


def test_a_change_needs_the_origin_without_the_path(reader: GuestClient) -> None:
    for origin, status in ((BASE_URL, 200), (BASE_URL + BASE, 403), (BLOG, 403), ("null", 403)):
        answer = reader.client.post(
            f"{BASE}/embed/preview",
            data={"text": "Hello"},
            headers={"Origin": origin, "Accept": "application/json"},
        )
        assert answer.status_code == status, origin


def test_the_access_log_has_paths_as_the_views_know_them(app: Flask, reader: GuestClient) -> None:
    lines: list[str] = []
    logged = AccessLog(app, lines.append)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"{BASE}/admin/sign-in/secret", "QUERY_STRING": ""}
    environ |= {"SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    b"".join(logged(environ, lambda *_: None))
    assert '"GET /admin/sign-in/…"' in lines[0]
    assert shown_path("/mail/stop-site/secret") == "/mail/stop-site/…"


def test_a_host_of_its_own_costs_no_layer(settings: Settings) -> None:
    own = create_app(replace(settings, base_url=BASE_URL))
    assert not isinstance(own.wsgi_app, BasePath)
    dispose(own)
    below = create_app(settings)
    assert isinstance(below.wsgi_app, BasePath)
    dispose(below)


def test_no_path_of_ours_can_be_the_base(app: Flask) -> None:
    """A new first part of a path belongs in `OWN_PATHS`."""
    assert {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()} - {""} == OWN_PATHS
