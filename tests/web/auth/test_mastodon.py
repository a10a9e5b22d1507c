"""Logging in at a Mastodon server whose name a stranger typed: any of them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.errors import ProviderError
from commentsvc.http_client import client
from commentsvc.integrations.oauth import catalogue, mastodon
from commentsvc.models import Identity, Registration
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG, dispose
from tests.support import provider_fakes as fakes
from tests.support.login_client import LoginClient, onward
from tests.support.outside_session import outside_session
from tests.support.provider_fakes import Fediverse, as_json

ONE, TWO = "one.social", "two.social"
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fediverse]:
    with fakes.fediverse(tmp_path_factory.mktemp("fediverse"), ONE, TWO) as fediverse:
        yield fediverse


@pytest.fixture
def fediverse(running: Fediverse, monkeypatch: pytest.MonkeyPatch) -> Fediverse:
    """Two servers in an internet of their own; the guard stays in its place."""
    for host, instance in running.by_host.items():
        vars(instance).update(vars(fakes.Mastodon(f"https://{host}")))
    monkeypatch.setattr(client, "fetch", partial(client.fetch, network=running.network))
    return running


@pytest.fixture
def app(settings: Settings, fediverse: Fediverse) -> Iterator[Flask]:
    app = create_app(settings)
    services_of(app).providers["mastodon"] = next(row for row in catalogue.ROWS if row.key == "mastodon")
    yield app
    dispose(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session outside any application context, on a service with one site."""
    with outside_session(app) as session:
        begin_write(session)
        sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
        session.commit()
        yield session


@pytest.fixture
def ada(app: Flask, session: Session) -> LoginClient:
    return LoginClient(app)


def log_in(person: LoginClient, fediverse: Fediverse, instance: str) -> Any:
    """Go the whole way; return what the frame is told."""
    url = person.leave_for("mastodon", instance=instance)
    assert person.come_back(url, fediverse.consent(url)).status_code == 303
    return person.redeem().get_json()["stage"]


def count(session: Session, what: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(what)) or 0


@ENGINES
def test_the_service_registers_itself_once(ada: LoginClient, fediverse: Fediverse, session: Session) -> None:
    for _ in range(2):
        assert log_in(ada, fediverse, ONE) == "done"
    assert [request.path for request in fediverse[ONE].asked].count("/api/v1/apps") == 1
    assert count(session, Registration) == 1
    assert ada.own()["member"]["name"] == "Ada Lovelace"


@ENGINES
def test_the_same_number_at_two_servers_is_two_people(
    ada: LoginClient, app: Flask, fediverse: Fediverse, session: Session
) -> None:
    log_in(ada, fediverse, ONE)
    log_in(LoginClient(app), fediverse, TWO)
    session.rollback()
    identities = session.scalars(select(Identity).where(Identity.provider == "mastodon"))
    assert {(one.issuer, one.subject) for one in identities} == {
        (f"https://{ONE}", "14715"),
        (f"https://{TWO}", "14715"),
    }


@pytest.mark.parametrize(
    "typed",
    [
        ONE,
        "https://one.social",
        " One.Social/ ",
        "@ada@one.social",
        "ada@one.social",
        "http://one.social/@ada",
        "one.social.",
    ],
)
def test_however_it_is_typed(ada: LoginClient, fediverse: Fediverse, session: Session, typed: str) -> None:
    assert log_in(ada, fediverse, typed) == "done"
    session.rollback()
    assert session.scalars(select(Registration.host)).all() == [ONE]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "2130706433",
        "0x7f.1",
        "one.social:8080",
        "one.social?x=y",
        "one.social#",
        "one social",
        "a" * 300 + ".social",
        "one..social",
        "-one.social",
        "\x00.social",
        "\r\nHost: two.social",
        "com",
    ],
)
def test_what_is_no_name_of_a_server(ada: LoginClient, fediverse: Fediverse, typed: str) -> None:
    answer = ada.start("mastodon", instance=typed)
    assert (answer.status_code, "Please enter the name" in answer.text) == (503, True)
    assert not fediverse[ONE].asked


def test_a_server_in_a_private_network_is_not_asked(
    ada: LoginClient, fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"):
        inside = client.Network(
            lambda _name, at=address: [at], fediverse.network.connect, fediverse.network.tls
        )
        monkeypatch.setattr(mastodon.client, "fetch", partial(client.fetch, network=inside))
        assert "cannot be reached" in ada.start("mastodon", instance=ONE).text
    assert not fediverse[ONE].asked


def test_a_name_that_moves_inside_after_registration(
    ada: LoginClient, fediverse: Fediverse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code, and our secret, would go there."""
    url = ada.leave_for("mastodon", instance=ONE)
    result = fediverse.consent(url)
    inside = client.Network(lambda _name: ["127.0.0.1"], fediverse.network.connect, fediverse.network.tls)
    monkeypatch.setattr(client, "fetch", partial(client.fetch, network=inside))
    assert "cannot be reached" in ada.come_back(url, result).text
    assert "/oauth/token" not in [request.path for request in fediverse[ONE].asked]


class TestTwoServers:
    """Of one that is honest and one that is not, the second wants what the first gives."""

    def test_each_comes_back_to_an_address_of_its_own(self, ada: LoginClient, fediverse: Fediverse) -> None:
        for host in (ONE, TWO):
            url = ada.leave_for("mastodon", instance=host)
            query = parse_qs(urlsplit(url).query)
            assert query["redirect_uri"] == [f"{BASE_URL}/login/callback/mastodon/{host}"]
            assert urlsplit(url).hostname == host

    def test_the_code_of_one_is_never_sent_to_the_other(self, ada: LoginClient, fediverse: Fediverse) -> None:
        """Ada begins at two.social, which sends her on to one.social with the state it was given."""
        honest = parse_qs(urlsplit(ada.leave_for("mastodon", instance=ONE)).query)
        theirs = ada.leave_for("mastodon", instance=TWO)
        state = parse_qs(urlsplit(theirs).query)["state"]
        asked = {name: value for name, (value, *_) in (honest | {"state": state}).items()}
        result = fediverse.consent(f"https://{ONE}/oauth/authorize?{fakes.urlencode(asked)}")
        answer = ada.get(f"/login/callback/mastodon/{ONE}?{fakes.urlencode(result)}", jar=ada.windows)
        assert answer.status_code == 400
        assert "/oauth/token" not in [request.path for request in fediverse[TWO].asked]

    def test_nor_does_the_common_address_take_it(self, ada: LoginClient, fediverse: Fediverse) -> None:
        url = ada.leave_for("mastodon", instance=ONE)
        result = fakes.urlencode(fediverse.consent(url))
        assert ada.get(f"/login/callback/mastodon?{result}", jar=ada.windows).status_code == 400

    def test_one_cannot_speak_for_the_other(
        self, ada: LoginClient, app: Flask, fediverse: Fediverse, session: Session
    ) -> None:
        fediverse[TWO].told = {
            "url": f"https://{ONE}/@ada",
            "acct": f"ada@{ONE}",
            "uri": f"https://{ONE}/users/ada",
        }
        log_in(ada, fediverse, ONE)
        log_in(LoginClient(app), fediverse, TWO)
        session.rollback()
        commenter_ids = session.scalars(select(Identity.commenter_id).where(Identity.provider == "mastodon"))
        assert len(set(commenter_ids)) == 2


BAD = {
    "HTML": fakes.as_html(fakes.HTML),
    "a redirect": fakes.Reply(302, headers={"Location": f"https://{TWO}/"}),
    "a list": as_json([]),
    "nothing": as_json({}),
    "nested": fakes.Reply(200, b"[" * 100_000, {"Content-Type": "application/json"}),
    "without end": fakes.endless,
    "500": as_json({}, 500),
    "down": fakes.hang_up,
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("path", ["/api/v1/apps", "/oauth/token", "/api/v1/accounts/verify_credentials"])
def test_a_bad_answer_is_a_sentence(
    ada: LoginClient, fediverse: Fediverse, session: Session, path: str, bad: Any
) -> None:
    fediverse[ONE].instead[path] = bad
    answer = ada.start("mastodon", instance=ONE)
    if path != "/api/v1/apps":
        url = onward(answer)
        answer = ada.come_back(url, fediverse.consent(url))
    assert answer.status_code in {400, 503}
    assert ONE in answer.text or "did not say who you are" in answer.text
    assert ada.redeem().get_json()["stage"] == "failed"


@pytest.mark.parametrize(
    "given",
    [
        {"client_id": None},
        {"client_id": 5},
        {"client_secret": ""},
        {"client_id": "x" * 301},
        {"client_secret": "a\x00"},
    ],
)
def test_a_registration_that_cannot_be_kept(
    ada: LoginClient, fediverse: Fediverse, session: Session, given: dict[str, Any]
) -> None:
    answer = {"client_id": "id", "client_secret": "secret"} | given
    fediverse[ONE].instead["/api/v1/apps"] = as_json(fakes.changed(answer, {}))
    assert "does not answer like a Mastodon server" in ada.start("mastodon", instance=ONE).text
    assert count(session, Registration) == 0


def test_a_token_that_would_make_headers_of_its_own(ada: LoginClient, fediverse: Fediverse) -> None:
    fediverse[ONE].granted = {"access_token": "a\r\nHost: two.social"}
    url = ada.leave_for("mastodon", instance=ONE)
    assert "did not accept this login" in ada.come_back(url, fediverse.consent(url)).text


@pytest.mark.parametrize("typed", ["münchen.social", "xn--mnchen-3ya.social"])
def test_a_name_in_other_letters_is_one_name(typed: str) -> None:
    assert mastodon.host_of(typed) == "xn--mnchen-3ya.social"


def test_a_word_is_no_server() -> None:
    with pytest.raises(ProviderError):
        mastodon.host_of("ada")
