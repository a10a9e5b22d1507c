"""The authorization code flow with state, nonce and PKCE (RFC 6749, 7636, 9207), the same for every provider."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from commentsvc.adapters.providers import apple, idtoken, mastodon
from commentsvc.adapters.providers.catalogue import Provider
from commentsvc.adapters.providers.profile import Profile
from commentsvc.errors import ProviderError

SECONDS = 8
"""How long a provider may take for one answer."""
_KEPT_SECONDS = 3600
_UNAVAILABLE = "{} is not available right now. Please try again later, or comment as a guest."


@dataclass(frozen=True)
class Attempt:
    """What one login must remember between going out and coming back; kept in the browser that began it."""

    provider: str
    state: str
    nonce: str
    verifier: str
    instance: str = ""


class Metadata:
    """Providers' discovery documents and keys, kept for an hour in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def get(self, url: str, *, fresh: bool = False) -> dict[str, Any]:
        """Return a JSON document; raises requests' errors and ValueError."""
        found = self._kept.get(url)
        if found and not fresh and found[0] > time.monotonic() - _KEPT_SECONDS:
            return found[1]
        with requests.get(url, timeout=SECONDS, allow_redirects=False) as answer:
            answer.raise_for_status()
            document = answer.json()
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        self._kept[url] = (time.monotonic(), document)
        return document


@dataclass(frozen=True)
class Endpoints:
    """Where a provider answers."""

    issuer: str
    authorize: str
    token: str
    profile: str
    keys: str


class Flow:
    """Sends people to providers and reads what comes back."""

    def __init__(self) -> None:
        self.metadata = Metadata()

    def begin(self, provider: Provider, redirect_uri: str, *, instance: str = "") -> tuple[str, Attempt]:
        """Return the address to send a browser to, and what to remember; raises ProviderError."""
        attempt = Attempt(
            provider=provider.key,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            instance=instance,
        )
        more = dict(provider.extra)
        if provider.nonce and (provider.openid or provider.key == "apple"):
            more["nonce"] = attempt.nonce
        with self._client(provider, redirect_uri) as client:
            url, _ = client.create_authorization_url(
                self.endpoints(provider).authorize,
                state=attempt.state,
                code_verifier=attempt.verifier if provider.pkce else None,
                **more,
            )
        return cast(str, url), attempt

    def finish(
        self, provider: Provider, redirect_uri: str, attempt: Attempt, answer: Mapping[str, str]
    ) -> Profile:
        """Return who logged in, from the provider's answer; raises ProviderError. Its tokens are dropped."""
        _require_answer(provider, attempt, answer)
        try:
            return self._finish(provider, redirect_uri, attempt, answer)
        except (requests.RequestException, OSError) as error:
            raise ProviderError(_UNAVAILABLE.format(provider.label)) from error
        except AuthlibBaseError as error:
            raise ProviderError(f"{provider.label} did not accept this login. Please try again.") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProviderError(f"{provider.label} answered in a way that is not understood.") from error

    def endpoints(self, provider: Provider) -> Endpoints:
        """Return where `provider` answers, by discovery where it has that; raises ProviderError."""
        if not provider.openid:
            keys = apple.KEYS if provider.key == "apple" else ""
            return Endpoints(
                provider.issuer, provider.authorize_url, provider.token_url, provider.profile_url, keys
            )
        try:
            found = self.metadata.get(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
            endpoints = Endpoints(
                issuer=found["issuer"],
                authorize=found["authorization_endpoint"],
                token=found["token_endpoint"],
                profile=found.get("userinfo_endpoint", ""),
                keys=found["jwks_uri"],
            )
        except (requests.RequestException, OSError, ValueError, KeyError) as error:
            raise ProviderError(_UNAVAILABLE.format(provider.label)) from error
        if not provider.any_tenant and endpoints.issuer.rstrip("/") != provider.issuer.rstrip("/"):
            raise ProviderError(f"{provider.label} is set up wrongly: its metadata names another issuer.")
        return endpoints

    def _finish(
        self, provider: Provider, redirect_uri: str, attempt: Attempt, answer: Mapping[str, str]
    ) -> Profile:
        endpoints = self.endpoints(provider)
        _require_issuer(provider, endpoints, answer)
        if attempt.instance:
            found = mastodon.claims(provider, redirect_uri, answer["code"], attempt.verifier)
            return provider.read(endpoints.issuer, found)
        with self._client(provider, redirect_uri) as client:
            token = client.fetch_token(
                endpoints.token,
                code=answer["code"],
                grant_type="authorization_code",
                headers={"Accept": "application/json"},
                **({"code_verifier": attempt.verifier} if provider.pkce else {}),
            )
            claims: dict[str, Any] = {}
            if endpoints.keys:
                claims = self._identity(provider, endpoints, attempt, token)
            if endpoints.profile and (not claims or provider.userinfo):
                claims = _merge(claims, _profile(client, provider, endpoints, token))
        if provider.key == "apple":
            claims = apple.with_name(claims, answer.get("user", ""))
        return provider.read(endpoints.issuer, claims)

    def _identity(
        self, provider: Provider, endpoints: Endpoints, attempt: Attempt, token: Mapping[str, Any]
    ) -> dict[str, Any]:
        nonce = attempt.nonce if provider.nonce else None
        given = token.get("id_token")
        if not isinstance(given, str):
            raise ProviderError(f"{provider.label} sent no ID token.")
        try:
            keys = self.metadata.get(endpoints.keys)
            return idtoken.verify(given, keys, provider, issuer=endpoints.issuer, nonce=nonce)
        except idtoken.UnknownKeyError:
            keys = self.metadata.get(endpoints.keys, fresh=True)
            return idtoken.verify(given, keys, provider, issuer=endpoints.issuer, nonce=nonce)

    def _client(self, provider: Provider, redirect_uri: str) -> Any:
        secret = apple.client_secret(provider) if provider.key == "apple" else provider.client_secret
        client = OAuth2Session(
            provider.client_id,
            secret,
            token_endpoint_auth_method=provider.token_auth,
            scope=provider.scope or None,
            redirect_uri=redirect_uri,
            code_challenge_method="S256" if provider.pkce else None,
            default_timeout=SECONDS,
        )
        client.trust_env = False
        client.max_redirects = 0
        return client


def _require_answer(provider: Provider, attempt: Attempt, answer: Mapping[str, str]) -> None:
    if not hmac.compare_digest(answer.get("state", ""), attempt.state):
        raise ProviderError("This answer belongs to another login. Please try again.")
    if "error" in answer:
        if answer["error"] in {"access_denied", "user_cancelled_authorize", "user_cancelled_login"}:
            raise ProviderError(f"You did not allow the login with {provider.label}.")
        raise ProviderError(f"{provider.label} refused the login ({answer['error'][:60]}).")
    if not answer.get("code"):
        raise ProviderError(f"{provider.label} answered in a way that is not understood.")


def _require_issuer(provider: Provider, endpoints: Endpoints, answer: Mapping[str, str]) -> None:
    """RFC 9207: an answer that names another issuer is a mix-up of two providers."""
    named = answer.get("iss")
    if named is not None and not provider.any_tenant and named != endpoints.issuer:
        raise ProviderError("This answer comes from another provider. Please try again.")


def _profile(
    client: Any, provider: Provider, endpoints: Endpoints, token: Mapping[str, Any]
) -> dict[str, Any]:
    params = {}
    if provider.prove_secret:
        access = str(token["access_token"]).encode()
        params["appsecret_proof"] = hmac.new(
            provider.client_secret.encode(), access, hashlib.sha256
        ).hexdigest()
    with client.get(endpoints.profile, params=params, headers={"Accept": "application/json"}) as answer:
        answer.raise_for_status()
        found = json.loads(answer.content)
    if not isinstance(found, dict):
        raise ProviderError(f"{provider.label} answered in a way that is not understood.")
    return found


def _merge(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Userinfo adds to an ID token only if it speaks of the same person (OpenID Connect Core, 5.3.2)."""
    if claims and claims.get("sub") != more.get("sub"):
        raise ProviderError("The provider's two answers speak of different people.")
    return {**more, **claims}


def host_of(url: str) -> str:
    """Return the host of an issuer, to be shown."""
    return urlsplit(url).hostname or url
