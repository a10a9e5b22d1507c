"""Demo ID: a login provider with four made-up people and no passwords, which stands in for a well-known one.

It has authorization codes and PKCE; where the well-known provider has OpenID Connect, it also has discovery, and RS256
with a key made at the start. provider.py serves it over HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from commentsvc.demo.stand_ins import Client, Someone, StandIn

LABEL = "Demo ID"
CODE_LIFE, TOKEN_LIFE = 120, 300
"""Seconds."""
NAME_LONGEST = 60
_MOST = 1000
_TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)


class RefusedError(Exception):
    """An invalid request; the message is an OAuth error code."""


PEOPLE = (
    Someone("marta", "Marta Vind", "repairs accordions"),
    Someone("osei", "Osei Larbi", "reads on the night bus"),
    Someone("lin", "Lin Haruna", "keeps bees on a roof"),
    Someone("tove", "Tove Ask", "has never finished a crossword"),
)


@dataclass(frozen=True)
class _Grant:
    who: Someone
    nonce: str
    challenge: str
    until: float


class DemoId:
    """The provider's state and responses, without HTTP."""

    def __init__(self, stand_in: StandIn, issuer: str, client: Client, key: RSAKey) -> None:
        self.stand_in, self.issuer, self.client, self._key = stand_in, issuer, client, key
        self._codes: dict[str, _Grant] = {}
        self._tokens: dict[str, _Grant] = {}
        self._lock = threading.Lock()

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + self.stand_in.authorize,
            "token_endpoint": self.issuer + self.stand_in.token,
            "userinfo_endpoint": self.issuer + self.stand_in.userinfo,
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }

    def keys(self) -> dict[str, Any]:
        """Return the public key."""
        return dict(KeySet([self._key]).as_dict(private=False))

    def question(self, asked: Mapping[str, str]) -> str:
        """Return the page on which a visitor chooses a person; raises RefusedError."""
        self._require(asked)
        kept = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method")
        fields = {name: asked[name] for name in (*kept, "response_type") if name in asked}
        page = _TEMPLATES.get_template("demo-id.html")
        return page.render(
            people=PEOPLE,
            fields=fields,
            label=LABEL,
            provider=self.stand_in.label,
            action=self.issuer + self.stand_in.authorize,
            longest=NAME_LONGEST,
        )

    def agree(self, asked: Mapping[str, str]) -> str:
        """Return the address to redirect to, with a code for the chosen person; raises RefusedError."""
        self._require(asked)
        who = _chosen(asked)
        if who is None:
            return self._back(asked, error="access_denied")
        code = secrets.token_urlsafe(24)
        until = time.monotonic() + CODE_LIFE
        self._keep(
            self._codes, code, _Grant(who, asked.get("nonce", ""), asked.get("code_challenge", ""), until)
        )
        return self._back(asked, code=code)

    def token(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Exchange a code, which is valid once, for tokens; raises RefusedError."""
        if not self._is_client(form, authorization):
            raise RefusedError("invalid_client")
        with self._lock:
            grant = self._codes.pop(form.get("code", ""), None)
        if (
            grant is None
            or grant.until < time.monotonic()
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != self.client.redirect_uri
            or (self.stand_in.pkce and grant.challenge != _s256(form.get("code_verifier", "")))
        ):
            raise RefusedError("invalid_grant")
        access = secrets.token_urlsafe(24)
        self._keep(self._tokens, access, grant)
        tokens = {"access_token": access, "token_type": "Bearer", "expires_in": TOKEN_LIFE}
        return tokens | ({"id_token": self._id_token(grant)} if self.stand_in.openid else {})

    def userinfo(self, asked: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Return the profile of the person of a token; raises RefusedError."""
        access = authorization.removeprefix("Bearer ")
        with self._lock:
            grant = self._tokens.get(access)
        if grant is None or grant.until + TOKEN_LIFE < time.monotonic():
            raise RefusedError("invalid_token")
        if self.stand_in.proves_secret and not self._proves(asked.get("appsecret_proof", ""), access):
            raise RefusedError("invalid_appsecret_proof")
        return self.stand_in.profile(grant.who)

    def _proves(self, proof: str, access: str) -> bool:
        expected = hmac.new(self.client.secret.encode(), access.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(proof.encode(), expected.encode())

    def _require(self, asked: Mapping[str, str]) -> None:
        known = (self.client.id, self.client.redirect_uri)
        if (asked.get("client_id"), asked.get("redirect_uri")) != known:
            raise RefusedError("unauthorized_client")
        if asked.get("response_type") != "code" or not asked.get("state"):
            raise RefusedError("invalid_request")
        challenge = asked.get("code_challenge_method"), len(asked.get("code_challenge", ""))
        if self.stand_in.pkce and challenge != ("S256", 43):
            raise RefusedError("invalid_request")

    def _back(self, asked: Mapping[str, str], **answer: str) -> str:
        answer |= {"state": asked["state"]} | ({"iss": self.issuer} if self.stand_in.openid else {})
        return f"{self.client.redirect_uri}?{urlencode(answer)}"

    def _keep(self, grants: dict[str, _Grant], key: str, grant: _Grant) -> None:
        with self._lock:
            while len(grants) >= _MOST:
                del grants[next(iter(grants))]
            grants[key] = grant

    def _is_client(self, form: Mapping[str, str], authorization: str) -> bool:
        pair = f"{self.client.id}:{self.client.secret}".encode()
        basic = hmac.compare_digest(authorization.encode(), b"Basic " + base64.b64encode(pair))
        given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}".encode()
        return basic or hmac.compare_digest(given, pair)

    def _id_token(self, grant: _Grant) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client.id,
            "sub": grant.who.key,
            "name": grant.who.name,
            "nonce": grant.nonce,
            "iat": now,
            "exp": now + TOKEN_LIFE,
        }
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)


def new_key() -> RSAKey:
    """Return a key for ID tokens."""
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


def _chosen(asked: Mapping[str, str]) -> Someone | None:
    """Return one of the four, or a person with a typed name; None if the visitor cancelled."""
    chosen = next((someone for someone in PEOPLE if someone.key == asked.get("person")), None)
    name = " ".join(asked.get("name", "").split())[:NAME_LONGEST]
    if chosen or not name:
        return chosen
    subject = hashlib.sha256(name.casefold().encode("utf-8", "replace")).hexdigest()[:16]
    return Someone(f"typed-{subject}", name, "")


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
