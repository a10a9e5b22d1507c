"""Where a request comes from, and whether a page of ours sent it."""

from __future__ import annotations

import ipaddress
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.integrations import signing
from commentsvc.setting_values import Network
from commentsvc.web import access, context
from commentsvc.web.access import client_address
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, SECRET, dispose, environment
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site, contents

NONE: tuple[Network, ...] = ()
ONE = (ipaddress.ip_network("10.0.0.1/32"),)
TWO = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
KEY = "k" * 43


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("203.0.113.9", [], NONE, "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], NONE, "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], NONE, "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], ONE, "198.51.100.1"),
        ("10.0.0.1", [], ONE, "10.0.0.1"),
        ("203.0.113.9", ["198.51.100.1"], ONE, "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1"], ONE, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.1"], ONE, "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.1, 198.51.100.1"], ONE, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], ONE, "10.0.0.2"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.1, 10.0.0.2"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["6.6.6.6, 10.9.9.9, 198.51.100.1, 10.0.0.2"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], TWO, "10.0.0.3"),
        ("fd00::1", ["2001:db8::1, 10.0.0.2"], TWO, "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], ONE, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, ::ffff:10.0.0.2"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2:4711"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, [fd00::2]:4711"], TWO, "198.51.100.1"),
        ("10.0.0.1", ["garbage"], ONE, "garbage"),
        ("10.0.0.1", ["198.51.100.1, "], ONE, ""),
        ("", ["198.51.100.1"], ONE, ""),
    ],
)
def test_only_our_proxies_are_believed(
    peer: str, forwarded: list[str], trusted: tuple[Network, ...], client: str
) -> None:
    assert client_address(peer, forwarded, trusted) == client


def network_of(app: Flask, peer: str, **headers: str) -> str:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": peer}, headers=headers):
        return access.network()


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("203.0.113.200", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("garbage", "unknown"),
        ("", "127.0.0.0/24"),
        ("\x00", "unknown"),
        ("9" * 5000, "unknown"),
    ],
)
def test_people_are_told_apart_by_their_network(app: Flask, peer: str, network: str) -> None:
    assert network_of(app, peer) == network


def test_a_forged_header_does_not_change_the_network(app: Flask) -> None:
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "CF-Connecting-IP"):
        assert network_of(app, "203.0.113.9", **{header: "198.51.100.1"}) == "203.0.113.0/24"


def test_a_trusted_proxys_header_does(app: Flask, settings: Settings) -> None:
    services_of(app).settings = Settings.from_env(
        environment(settings.data_dir, COMMENTSVC_TRUSTED_PROXIES="10.0.0.1, fd00::/8")
    )
    assert network_of(app, "10.0.0.1", **{"X-Forwarded-For": "198.51.100.1"}) == "198.51.100.0/24"
    assert network_of(app, "203.0.113.9", **{"X-Forwarded-For": "198.51.100.1"}) == "203.0.113.0/24"
    assert network_of(app, "10.0.0.1", **{"X-Forwarded-For": "a, b\x7f"}) == "unknown"


def test_a_proxy_that_connects_through_a_unix_socket_is_the_machines_own(
    app: Flask, settings: Settings
) -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.1"}
    assert network_of(app, "", **forwarded) == "127.0.0.0/24"
    for trusted, network in (("127.0.0.1", "198.51.100.0/24"), ("10.0.0.1", "127.0.0.0/24")):
        services_of(app).settings = Settings.from_env(
            environment(settings.data_dir, COMMENTSVC_TRUSTED_PROXIES=trusted)
        )
        assert network_of(app, "", **forwarded) == network


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("172.18.0.5", "from 172.18.0.5"),
        ("::1", "from ::1"),
        ("8.8.8.8", "from a public address"),
        ("", "from 127.0.0.1"),  # a unix socket
    ],
)
def test_the_log_says_once_that_a_proxy_is_not_trusted(
    app: Flask, caplog: pytest.LogCaptureFixture, peer: str, told: str
) -> None:
    caplog.set_level("WARNING", "commentsvc")
    for path in ("/", "/healthz", "/nowhere"):
        app.test_client().get(
            path, headers={"X-Forwarded-For": "198.51.100.1"}, environ_base={"REMOTE_ADDR": peer}
        )
    (line,) = [one.getMessage() for one in caplog.records if "X-Forwarded-For" in one.getMessage()]
    assert told in line
    assert "set COMMENTSVC_TRUSTED_PROXIES" in line
    assert "8.8.8.8" not in line
    assert "198.51.100" not in line


@pytest.mark.parametrize(
    ("trusted", "peer"), [("10.0.0.1", "10.0.0.1"), ("127.0.0.1", "")], ids=["address", "unix socket"]
)
def test_the_log_says_nothing_of_a_proxy_that_is_trusted_or_sends_nothing(
    tmp_path: Path, migrated_sqlite: Path, caplog: pytest.LogCaptureFixture, trusted: str, peer: str
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "comments.sqlite")
    trusting = Settings.from_env(environment(tmp_path, COMMENTSVC_TRUSTED_PROXIES=trusted))
    app = create_app(trusting)
    caplog.set_level("WARNING", "commentsvc")
    app.test_client().get(
        "/healthz", headers={"X-Forwarded-For": "198.51.100.1"}, environ_base={"REMOTE_ADDR": peer}
    )
    app.test_client().get("/healthz", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    with app.test_request_context(environ_base={"REMOTE_ADDR": peer}):
        assert access.is_from_proxy()
    dispose(app)
    assert "X-Forwarded-For" not in caplog.text


def test_a_network_is_stored_as_a_hash_of_its_month(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = set()
    for month, peer in ((6, "203.0.113.9"), (6, "203.0.113.77"), (7, "203.0.113.9"), (7, "203.0.114.9")):
        monkeypatch.setattr(access, "now", lambda month=month: datetime(2026, month, 5, tzinfo=UTC))
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": peer}):
            hashes.add(access.network_hash())
    assert len(hashes) == 3
    assert all(len(one) == 64 and "203" not in one.split(".") for one in hashes)
    assert context.now is not access.now


@pytest.mark.parametrize("key", [None, "", "short", "k" * 19, "k" * 201])
def test_a_key_that_anybody_could_guess_is_no_key(app: Flask, key: str | None) -> None:
    with app.test_request_context("/"):
        assert access.author_key_hash(key) is None


def test_a_key_is_hashed_with_the_databases_own_key(app: Flask) -> None:
    with app.test_request_context("/"):
        assert access.author_key_hash(KEY) == signing.keyed_hash(context.hash_key(), "author", KEY)
        assert access.author_key_hash(KEY) != signing.keyed_hash(SECRET, "author", KEY)


FOREIGN: tuple[dict[str, str | None], ...] = (
    {"Origin": None},
    {"Origin": "null"},
    {"Origin": "https://evil.test"},
    {"Origin": "https://blog.example"},
    {"Origin": BASE_URL + "."},
    {"Origin": BASE_URL.replace("http", "https")},
    {"Origin": BASE_URL.replace("8600", "8601")},
    {"Origin": BASE_URL + "@evil.test"},
    {"Origin": BASE_URL + " https://evil.test"},
    {"Origin": ""},
    {"Origin": None, "Referer": BASE_URL + "/embed"},
    {"Origin": None, "Sec-Fetch-Site": "same-origin"},
)


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_a_post_that_no_page_of_ours_sent_is_refused(app: Flask, door: str) -> None:
    add_site(app)
    reader = GuestClient(app)
    form = reader.form(token=reader.token())
    before = contents(app)
    for headers in FOREIGN:
        assert reader.send(form, door=door, headers=headers).status_code == 403, headers
    assert contents(app) == before
    assert reader.send(form, door=door).status_code != 403


def test_a_preview_that_no_page_of_ours_asked_for_is_refused(app: Flask) -> None:
    for headers in ({}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        assert (
            app.test_client().post("/embed/preview", data={"text": "x"}, headers=headers).status_code == 403
        )


@pytest.mark.parametrize("said", [None, "cross-site"])
def test_a_page_of_ours_may_post_whatever_a_browser_says_of_its_window(app: Flask, said: str | None) -> None:
    add_site(app)
    reader = GuestClient(app)
    answer = reader.send(reader.form(token=reader.token()), headers={"Sec-Fetch-Site": said})
    assert answer.status_code == 200


TOKENS = {
    "none": lambda reader, app: "",
    "garbage": lambda reader, app: "garbage",
    "long garbage": lambda reader, app: "x." * 50_000,
    "odd characters": lambda reader, app: "\u6f22\ufffd\x00",
    "of another thread": lambda reader, app: GuestClient(app, f"{ARTICLE}/other").token(),
    "of another site": lambda reader, app: GuestClient(app, "https://other.example/article").token(),
    "too old": lambda reader, app: reader.token(age=access.FORM_LIFE + 60),
    "tampered with": lambda reader, app: reader.token()[:-2] + "xx",
    "for another purpose": lambda reader, app: signing.sign(SECRET, "handoff", "1"),
    "of another secret": lambda reader, app: signing.sign("x" * 40, "form", "1 blog.example/article"),
}


def test_a_form_that_is_not_this_threads_or_too_old_keeps_the_text(app: Flask) -> None:
    add_site(app)
    add_site(app, "Other", "https://other.example")
    reader = GuestClient(app)
    before = contents(app)
    for kind, make in TOKENS.items():
        token = make(reader, app)
        answer = reader.post("A long thought & <more>", token=token)
        assert answer.status_code == 422, kind
        assert "Nothing is lost" in (answer.json or {})["errors"]["form"]
        assert reader.post("", token=(answer.json or {})["token"]).status_code == 422
        answer = reader.post("A long thought & <more>", token=token, json=False)
        assert answer.status_code == 422, kind
        page = Elements(answer.text)
        assert "A long thought & <more>" in page.text
        assert page.all("input", name="email")[0]["value"] == "anna@mail.example"
        assert page.all("input", name="token")[0]["value"] not in {token, ""}
    assert contents(app) == before


def test_the_token_that_comes_with_the_refusal_is_good(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    fresh = (reader.post("A long thought", token="old").json or {})["token"]
    assert reader.post("A long thought", token=fresh).status_code == 200


@pytest.mark.parametrize("json", [True, False])
def test_whoever_sends_an_old_form_again_at_once_is_not_held_for_being_quick(app: Flask, json: bool) -> None:
    add_site(app)
    reader = GuestClient(app)
    answer = reader.post("A long thought", token=reader.token(age=access.FORM_LIFE + 60), json=json)
    fields = Elements(answer.text).all("input", name="token")
    token = (answer.json or {})["token"] if json else fields[0]["value"]
    assert (reader.post("A long thought", token=token).json or {})["held"] is False


def test_whoever_makes_up_a_token_and_sends_the_fresh_one_at_once_is_held(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    token = (reader.post("A long thought", token="made up").json or {})["token"]
    assert (reader.post("A long thought", token=token).json or {})["held"] is True


def test_a_form_of_two_days_is_still_good(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    assert reader.post(token=reader.token(age=access.FORM_LIFE - 60)).status_code == 200


def test_a_token_of_the_future_is_no_head_start(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    answer = reader.post(token=reader.token(age=-3600))
    assert answer.status_code == 422 or (answer.json or {})["held"]


@pytest.mark.parametrize("value", ["", "é", "a" * 99, "a" * 100, "a" * 2000, "1 blog.example/article"])
def test_what_was_signed_is_read_whether_it_was_compressed_or_not(value: str) -> None:
    before = URLSafeTimedSerializer(SECRET, salt="commentsvc.form").dumps(value)
    token = signing.sign(SECRET, "form", value)
    for one in (str(before), token):
        result = signing.unsign(SECRET, "form", one, max_age=60)
        assert result
        assert result[0] == value
    assert len(token) < 250
