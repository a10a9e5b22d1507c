"""A provider that does not answer must not keep people from logging in at others."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.errors import ProviderUnavailableError
from commentsvc.integrations.oauth import mastodon
from commentsvc.web.auth import provider_calls
from commentsvc.web.context import services_of
from tests.conftest import BLOG, dispose
from tests.support import provider_fakes as fakes
from tests.support.login_client import ARTICLE, LoginClient
from tests.support.provider_fakes import Handler, Vendors

CROWD = 8


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def app(settings: Settings, vendors: Vendors) -> Iterator[Flask]:
    app = create_app(settings)
    for vendor in vendors.by_key.values():
        services_of(app).providers[vendor.key] = vendor.row()
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
        session.commit()
    yield app
    dispose(app)


@pytest.fixture
def over() -> Iterator[Event]:
    """Set when the slow ones may answer at last."""
    over = Event()
    yield over
    over.set()


class Slow:
    """A real server that takes a request and says nothing; it counts those that wait."""

    def __init__(self, over: Event) -> None:
        self._over, self.waiting = over, 0
        self.full = Event()

    def __call__(self, handler: Handler) -> None:
        self.waiting += 1
        if self.waiting == provider_calls.SHARE:
            self.full.set()
        self._over.wait(30)


def crowd(app: Flask, pool: ThreadPoolExecutor, provider: str) -> None:
    """Send many people to one provider at the same time."""
    for _ in range(CROWD):
        pool.submit(LoginClient(app).start, provider, url=ARTICLE)


@pytest.mark.parametrize("slow", [["google"], ["google", "gitlab"]], ids=["one", "two"])
def test_others_log_in_while_providers_are_slow(
    app: Flask, vendors: Vendors, over: Event, slow: list[str]
) -> None:
    with ThreadPoolExecutor(CROWD * len(slow)) as pool:
        for key in slow:
            vendors[key].instead["/.well-known/openid-configuration"] = play = Slow(over)
            crowd(app, pool, key)
            assert play.full.wait(30)
        LoginClient(app).log_in("github")
        LoginClient(app).log_in("oidc_test")
        over.set()


def test_whoever_is_one_too_many_at_a_slow_provider_is_told_which(
    app: Flask, vendors: Vendors, over: Event
) -> None:
    vendors["google"].instead["/.well-known/openid-configuration"] = play = Slow(over)
    with ThreadPoolExecutor(provider_calls.SHARE) as pool:
        for _ in range(provider_calls.SHARE):
            pool.submit(LoginClient(app).start, "google")
        assert play.full.wait(30)
        answer = LoginClient(app).start("google")
        over.set()
    assert answer.status_code == 503
    assert "Google is slow to answer." in answer.text
    assert play.waiting == provider_calls.SHARE


def test_many_slow_instances_together_leave_room_for_others(
    app: Flask, vendors: Vendors, over: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, full = [], Event()

    def ask(host: str, *_: object, **__: object) -> dict[str, str]:
        asked.append(host)
        if len(asked) == provider_calls.MASTODON_SHARE:
            full.set()
        over.wait(30)
        raise ProviderUnavailableError(f"{host} cannot be reached right now.")

    monkeypatch.setattr(mastodon, "_ask", ask)
    row = services_of(app).providers["github"]
    services_of(app).providers["mastodon"] = replace(row, key="mastodon", label="Mastodon", issuer="")
    with ThreadPoolExecutor(CROWD) as pool:
        for number in range(CROWD):
            pool.submit(LoginClient(app).start, "mastodon", instance=f"slow{number}.example")
        assert full.wait(30)
        LoginClient(app).log_in("github")
        over.set()
    assert len(asked) <= CROWD


def test_nothing_is_kept_of_servers_that_strangers_named(app: Flask, vendors: Vendors) -> None:
    LoginClient(app).log_in("github")
    assert not provider_calls._SHARES._waiting
