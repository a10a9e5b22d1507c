"""What others say about a person: whoever says it, and however strangely, it is taken, or refused with a sentence."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.domain.accounts import invitations
from commentsvc.errors import BadAddressError
from commentsvc.integrations import claims
from commentsvc.models import Commenter, Identity, Role, Site, now
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG, dispose
from tests.support import provider_fakes as fakes
from tests.support.browser_client import BrowserClient
from tests.support.login_client import LoginClient
from tests.support.outside_session import outside_session
from tests.support.provider_fakes import Reply, Vendors
from tests.web.auth.test_sso import a_site, send

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
DEEP = "[" * 1400 + "]" * 1400
STRANGE_SUBJECTS: list[Any] = [
    "\ud800",
    "a\udfffb",
    "\x00",
    "4\x002",
    "4\n2",
    "\x1b[2J",
    "\u202e42",
    "",
    " ",
    "x" * 301,
    10**400,
    -(10**400),
    True,
    4.2,
    None,
    [],
    ["42"],
    {"42": 42},
]
STRANGE_NAMES: list[tuple[Any, str | None]] = [
    ("Gr\ud800ace", "Grace"),
    ("Gr\x00ace", "Grace"),
    ("Grace\nHopper", "Grace Hopper"),
    ("\u202eGrace", "Grace"),
    ("\ud800", None),
    ("\x00\x00", None),
    (7, None),
    (["Grace"], None),
    ({"name": "Grace"}, None),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Vendors]:
    with fakes.running() as vendors:
        yield vendors


@pytest.fixture
def vendors(running: Vendors) -> Vendors:
    running.reset()
    return running


@pytest.fixture
def app(settings: Settings, vendors: Vendors) -> Iterator[Flask]:
    app = create_app(settings)
    for vendor in vendors.by_key.values():
        services_of(app).providers[vendor.key] = vendor.row()
    yield app
    dispose(app)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    return a_site(session, "Blog", BLOG)


def identities(session: Session) -> int:
    """How many there are beside the operator's."""
    session.rollback()
    return (session.scalar(select(func.count()).select_from(Identity)) or 0) - 1


def signed(secret: str | None, payload: str, header: str = '{"alg":"HS256"}') -> str:
    """A token whose two parts are written by hand."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    body = f"{part(header.encode())}.{part(payload.encode())}"
    return f"{body}.{part(hmac.digest(str(secret).encode(), body.encode(), hashlib.sha256))}"


def payload(**said: Any) -> str:
    at = int(now().timestamp())
    usual = {"sub": "42", "name": "Grace", "aud": BASE_URL, "iat": at, "exp": at + 300}
    return json.dumps({**usual, **said})


class TestWebsitesTokens:
    def refused(self, session: Session, site: Site, app: Flask, body: str, **more: str) -> str:
        answer = send(BrowserClient(app), signed(site.sso_secret, body, **more))
        assert answer.status_code == 400, answer.text
        assert answer.get_json()["stage"] == "failed"
        assert identities(session) == 0
        return str(answer.get_json()["message"])

    @ENGINES
    @pytest.mark.parametrize("value", STRANGE_SUBJECTS, ids=range(len(STRANGE_SUBJECTS)))
    def test_with_no_proper_subject(self, session: Session, site: Site, app: Flask, value: Any) -> None:
        assert "has a wrong sub" in self.refused(session, site, app, payload(sub=value))

    @ENGINES
    @pytest.mark.parametrize(("value", "shown"), STRANGE_NAMES, ids=range(len(STRANGE_NAMES)))
    def test_with_a_strange_name(
        self, session: Session, site: Site, app: Flask, value: Any, shown: str | None
    ) -> None:
        if shown is None:
            assert "no valid name" in self.refused(session, site, app, payload(name=value))
            return
        assert send(BrowserClient(app), signed(site.sso_secret, payload(name=value))).status_code == 200
        session.rollback()
        assert session.scalars(select(Commenter.name).where(Commenter.name != "Site owner")).one() == shown

    @pytest.mark.parametrize("name", ["picture", "url"])
    @pytest.mark.parametrize("value", ["https://\ud800.example/", "https://a.example/\x00", "https://[", 7])
    def test_with_an_address_that_is_none(
        self, session: Session, site: Site, app: Flask, name: str, value: Any
    ) -> None:
        assert send(BrowserClient(app), signed(site.sso_secret, payload(**{name: value}))).status_code == 200

    @ENGINES
    @pytest.mark.parametrize(
        "body",
        [
            payload()[:-1] + f', "more": {DEEP}}}',
            payload()[:-1] + f', "sub": {DEEP}}}',
            payload()[:-1] + ', "sub": "43"}',
            payload()[:-1] + ', "more": {"a": 1, "a": 2}}',
            payload()[:-1] + ', "more": NaN}',
            payload()[:-1] + ', "more": Infinity}',
            DEEP,
            "[]",
            '"42"',
            "null",
            "",
            "{",
        ],
        ids=range(12),
    )
    def test_that_are_no_plain_object(self, session: Session, site: Site, app: Flask, body: str) -> None:
        assert "token" in self.refused(session, site, app, body)

    @pytest.mark.parametrize("claim", ["iat", "exp", "nbf"])
    @pytest.mark.parametrize("value", [10**1000, -(10**1000), "1", None, [], {}, True, 1e308, -1])
    def test_with_no_proper_time(
        self, session: Session, site: Site, app: Flask, claim: str, value: Any
    ) -> None:
        self.refused(session, site, app, payload(**{claim: value}))

    @pytest.mark.parametrize("value", ["\ud800", "\x00", [BASE_URL, "x"], [[BASE_URL]], {BASE_URL: 1}, 7])
    def test_for_somebody_else(self, session: Session, site: Site, app: Flask, value: Any) -> None:
        assert "wrong aud" in self.refused(session, site, app, payload(aud=value))

    @pytest.mark.parametrize(
        "header",
        [
            "[]",
            '"HS256"',
            "null",
            '{"alg": {}}',
            '{"alg": []}',
            '{"alg": "\\ud800"}',
            '{"alg": "HS256\\u0000"}',
            '{"alg": "HS256", "crit": ["x"]}',
            '{"alg": "HS256", "crit": 7}',
            '{"alg": "HS256", "kid": {}}',
            f'{{"alg": "HS256", "more": {DEEP}}}',
            '{"alg": "HS256", "more": ' + "[" * 230 + "]" * 230 + ', "crit": ["more"]}',
            '{"alg": ' + "9" * 400 + "}",
        ],
        ids=range(13),
    )
    def test_with_a_strange_header(self, session: Session, site: Site, app: Flask, header: str) -> None:
        assert "not signed" in self.refused(session, site, app, payload(), header=header)


class TestLoginProviders:
    @ENGINES
    @pytest.mark.parametrize("value", STRANGE_SUBJECTS, ids=range(len(STRANGE_SUBJECTS)))
    def test_with_no_proper_subject(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, value: Any
    ) -> None:
        vendors["oidc_test"].claims["sub"] = value
        vendors["oidc_test"].told["sub"] = value
        ada = LoginClient(app)
        answer = ada.come_back(ada.leave_for("oidc_test"))
        assert answer.status_code == 400, answer.text
        assert "did not say who you are" in answer.text
        assert identities(session) == 0

    @ENGINES
    @pytest.mark.parametrize("key", ["github", "facebook", "wordpress_legacy", "discord", "x"])
    @pytest.mark.parametrize("value", ["\ud800", "4\x002", {"id": 1}, 10**400])
    def test_that_are_no_openid_providers(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, key: str, value: Any
    ) -> None:
        told = {"data": {"id": value, "name": "Ada"}} if key == "x" else {"id": value, "ID": value}
        vendors[key].told |= told
        ada = LoginClient(app)
        assert ada.come_back(ada.leave_for(key)).status_code == 400
        assert identities(session) == 0

    @ENGINES
    @pytest.mark.parametrize("value", ["Gr\ud800ace", "Gr\x00ace"], ids=["surrogate", "nul"])
    def test_with_a_strange_name(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, value: str
    ) -> None:
        vendors["oidc_test"].claims["name"] = value
        LoginClient(app).log_in()
        session.rollback()
        assert session.scalars(select(Identity.name).where(Identity.provider == "oidc_test")).one() == "Grace"

    @pytest.mark.parametrize("claim", ["exp", "iat"])
    @pytest.mark.parametrize("value", [10**1000, -(10**1000), "1", [], {}, True])
    def test_with_no_proper_time(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, claim: str, value: Any
    ) -> None:
        vendors["oidc_test"].claims[claim] = value
        ada = LoginClient(app)
        assert ada.come_back(ada.leave_for("oidc_test")).status_code == 400
        assert identities(session) == 0

    @pytest.mark.parametrize(
        "body", [DEEP, f'{{"id": 1, "more": {DEEP}}}', '{"id": 1, "id": 2}', '{"id": NaN}', "{", "[]", "null"]
    )
    def test_whose_answer_is_no_plain_object(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, body: str
    ) -> None:
        vendors["github"].instead["/profile"] = Reply(
            200, body.encode(), {"Content-Type": "application/json"}
        )
        ada = LoginClient(app)
        assert ada.come_back(ada.leave_for("github")).status_code == 400
        assert identities(session) == 0

    @ENGINES
    @pytest.mark.parametrize(
        ("user", "shown"),
        [
            (json.dumps({"name": {"firstName": "Ad\ud800a", "lastName": "\x00"}}), "Ada"),
            ("[" * 3900, "Apple"),
            ('{"name": ' + "[" * 3000 + "]" * 3000 + "}", "Apple"),
            ('{"name": {"firstName": {"a": "b"}}}', "Apple"),
            ('{"name": 7}', "Apple"),
            ("\x00", "Apple"),
        ],
    )
    def test_that_post_a_strange_form(
        self, session: Session, site: Site, app: Flask, vendors: Vendors, user: str, shown: str
    ) -> None:
        """Apple's name is not signed; what cannot be read is no name, and the login goes on."""
        vendors["apple"].answer["user"] = user
        ada = LoginClient(app)
        answer = ada.come_back(ada.leave_for("apple"))
        assert answer.status_code == 303, answer.text
        session.rollback()
        assert session.scalars(select(Identity.name).where(Identity.provider == "apple")).one() == shown


@pytest.mark.parametrize("typed", ["", " ", "\udcff", "4\x002", "x" * 301])
def test_an_operator_names_no_such_subject_either(session: Session, site: Site, typed: str) -> None:
    with pytest.raises(BadAddressError, match="own id of a person"):
        invitations.grant(session, site, Role.MODERATOR, "github", "https://github.com", typed, at=now())
    with pytest.raises(BadAddressError, match="own id of a person"):
        invitations.revoke(session, site, "github", "https://github.com", typed)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("42", "42"), (42, "42"), (0, "0"), (" 42", " 42"), ("ä ö", "ä ö"), ("9" * 300, "9" * 300)],
)
def test_a_proper_subject_is_kept_as_it_came(value: Any, kept: str) -> None:
    assert claims.subject(value) == kept
