"""The authorization code flow with state, nonce and PKCE (RFC 6749, 7636, 9207), the same for every provider."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from commentsvc import strict_json
from commentsvc.errors import LoginRefusedError, ProviderError, ProviderUnavailableError
from commentsvc.integrations.oauth import apple, id_token, mastodon, transport
from commentsvc.integrations.oauth.catalogue import BASIC, POST, Provider
from commentsvc.integrations.oauth.metadata import Metadata, discovery_url
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.integrations.oauth.state import OAuthState
from commentsvc.messages import gettext

log = logging.getLogger(__name__)

# The parser raises RecursionError for deeply nested documents.
_STRANGE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Endpoints:
    """The addresses of a provider."""

    issuer: str
    authorize: str
    token: str
    profile: str
    keys: str
    token_auth: str = POST
    names_itself: bool = False
    """Whether its responses always contain `iss` (RFC 9207)."""


class Flow:
    """Sends people to providers and reads the responses."""

    def __init__(self) -> None:
        self.metadata = Metadata()

    def begin(self, provider: Provider, redirect_uri: str, *, instance: str = "") -> tuple[str, OAuthState]:
        """Return the address to send a browser to, and the state to store; raises ProviderError."""
        attempt = OAuthState(
            provider=provider.key,
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            instance=instance,
        )
        more = dict(provider.extra)
        if provider.nonce and provider.has_id_tokens:
            more["nonce"] = attempt.nonce
        endpoints = self.endpoints(provider)
        with client_of(provider, endpoints, redirect_uri) as client:
            url, _ = client.create_authorization_url(
                endpoints.authorize,
                state=attempt.state,
                code_verifier=attempt.verifier if provider.pkce else None,
                **more,
            )
        return cast(str, url), attempt

    def finish(
        self, provider: Provider, redirect_uri: str, attempt: OAuthState, answer: Mapping[str, str]
    ) -> Profile:
        """Return who logged in, from the provider's response; raises ProviderError. Tokens are not stored.

        After a failure the provider's metadata are fetched again, because they may have been the reason.
        """
        try:
            _require_answer(provider, attempt, answer)
            return self._exchange(provider, redirect_uri, attempt, answer)
        except LoginRefusedError:
            raise
        except ProviderError:
            self.metadata.forget_provider(provider)
            raise

    def _exchange(
        self, provider: Provider, redirect_uri: str, attempt: OAuthState, answer: Mapping[str, str]
    ) -> Profile:
        try:
            return self._finish(provider, redirect_uri, attempt, answer)
        except ProviderError as error:
            log.warning("%s: %s", provider.key, error)
            raise
        except AuthlibBaseError as error:
            log.warning(
                "%s refused the exchange: %.200r (`commentsvc doctor` asks it about the client secret)",
                provider.key,
                error,
            )
            raise ProviderError(
                gettext("%(provider)s did not accept this login. Please try again.")
                % {"provider": provider.label}
            ) from error
        except _STRANGE as error:
            log.warning("%s sent an unexpected answer: %.200r", provider.key, error)
            raise ProviderError(_not_understood(provider)) from error
        except (requests.RequestException, OSError) as error:
            log.warning("%s is not available: %.200r", provider.key, error)
            raise ProviderUnavailableError(_unavailable(provider)) from error

    def endpoints(self, provider: Provider) -> Endpoints:
        """Return the addresses of `provider`, by discovery for OpenID Connect; raises ProviderError."""
        if not provider.openid:
            return Endpoints(
                issuer=provider.issuer,
                authorize=provider.authorize_url,
                token=provider.token_url,
                profile=provider.profile_url,
                keys=provider.keys_url,
                token_auth=provider.token_auth,
            )
        url = discovery_url(provider)
        try:
            endpoints = _discovered(provider, self.metadata.get(url))
        except (requests.RequestException, OSError, *_STRANGE) as error:
            self.metadata.forget(url)
            log.warning("discovery of %s failed: %.200r", provider.key, error)
            raise ProviderUnavailableError(_unavailable(provider)) from error
        if not _is_expected(provider, endpoints.issuer):
            self.metadata.forget(url)
            log.warning("%s: its metadata names another issuer, %.200r", provider.key, endpoints.issuer)
            raise ProviderError(
                gettext("%(provider)s is set up wrongly: its metadata names another issuer.")
                % {"provider": provider.label}
            )
        return endpoints

    def _finish(
        self, provider: Provider, redirect_uri: str, attempt: OAuthState, answer: Mapping[str, str]
    ) -> Profile:
        endpoints = self.endpoints(provider)
        _require_issuer(provider, endpoints, answer)
        if attempt.instance:
            account = mastodon.claims(provider, redirect_uri, answer["code"], attempt.verifier)
            return provider.read(endpoints.issuer, account)
        with client_of(provider, endpoints, redirect_uri, provider.secret) as client:
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
            if endpoints.profile and (provider.userinfo or not claims.get("name")):
                claims = _merge(claims, _profile(client, provider, endpoints, token))
        if provider.name_in_answer:
            claims = apple.with_name(claims, answer.get("user", ""))
        return provider.read(endpoints.issuer, claims)

    def _identity(
        self, provider: Provider, endpoints: Endpoints, attempt: OAuthState, token: Mapping[str, Any]
    ) -> dict[str, Any]:
        nonce = attempt.nonce if provider.nonce else None
        given = token.get("id_token")
        if not isinstance(given, str):
            raise ProviderError(gettext("%(provider)s sent no ID token.") % {"provider": provider.label})
        try:
            keys = self.metadata.get(endpoints.keys)
            return id_token.verify(given, keys, provider, issuer=endpoints.issuer, nonce=nonce)
        except id_token.UnknownKeyError:
            keys = self.metadata.get(endpoints.keys, kept=0)
            return id_token.verify(given, keys, provider, issuer=endpoints.issuer, nonce=nonce)


def client_of(provider: Provider, endpoints: Endpoints, redirect_uri: str, secret: str = "") -> Any:
    """Return Authlib's client, whose requests are guarded."""
    client = OAuth2Session(
        provider.client_id,
        secret,
        token_endpoint_auth_method=endpoints.token_auth,
        scope=provider.scope or None,
        redirect_uri=redirect_uri,
        code_challenge_method="S256" if provider.pkce else None,
        leeway=0,  # we use the token at once, so one that lives for a minute is enough
    )
    transport.guard(client)
    return client


def _discovered(provider: Provider, document: Mapping[str, Any]) -> Endpoints:
    """Read a discovery document; raises ValueError, KeyError, TypeError."""
    methods = document.get("token_endpoint_auth_methods_supported") or [BASIC]
    userinfo = document.get("userinfo_endpoint")
    return Endpoints(
        issuer=_text(document["issuer"]),
        authorize=_address(provider, document["authorization_endpoint"]),
        token=_address(provider, document["token_endpoint"]),
        profile=_address(provider, userinfo) if userinfo else "",
        keys=_address(provider, document["jwks_uri"]),
        token_auth=provider.token_auth or (BASIC if BASIC in methods else POST),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _address(provider: Provider, value: object) -> str:
    """Return an endpoint's address; it must have https if the issuer has."""
    url = urlsplit(_text(value))
    schemes = {"https", urlsplit(provider.issuer).scheme}
    if url.scheme not in schemes or not url.hostname:
        raise ValueError(f"{url.geturl()[:200]!r} is not a valid endpoint")
    return url.geturl()


def _is_expected(provider: Provider, issuer: str) -> bool:
    if provider.any_tenant:
        return urlsplit(issuer)[:2] == urlsplit(provider.issuer)[:2]
    return issuer.rstrip("/") == provider.issuer.rstrip("/")


def _require_answer(provider: Provider, attempt: OAuthState, answer: Mapping[str, str]) -> None:
    if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
        raise ProviderError(gettext("This answer belongs to another login. Please try again."))
    if "error" in answer:
        if answer["error"] in {"access_denied", "user_cancelled_authorize", "user_cancelled_login"}:
            raise LoginRefusedError(
                gettext("You did not allow the login with %(provider)s.") % {"provider": provider.label}
            )
        # Only a single word, because anybody can make a link with an error and have us display it.
        word = re.fullmatch(r"[\w.-]{1,60}", answer["error"], re.ASCII)
        raise ProviderError(_refused(provider, word[0] if word else ""))
    if not answer.get("code"):
        raise ProviderError(_not_understood(provider))


def _require_issuer(provider: Provider, endpoints: Endpoints, answer: Mapping[str, str]) -> None:
    """Refuse a response that names another issuer, a mix-up of two providers (RFC 9207); raises ProviderError.

    Providers without OpenID Connect have no issuer to compare; each has its own redirect URI instead.
    """
    if not provider.openid or provider.any_tenant:
        return
    named = answer.get("iss")
    if named != endpoints.issuer and (named is not None or endpoints.names_itself):
        raise ProviderError(gettext("This answer comes from another provider. Please try again."))


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
        return strict_json.read_object(answer.content)


def _merge(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Add userinfo to the ID token's claims if both name the same person (OpenID Connect Core, 5.3.2)."""
    if claims and claims.get("sub") != more.get("sub"):
        raise ProviderError(gettext("The provider's two answers are about different people."))
    return {**more, **claims}


def _not_understood(provider: Provider) -> str:
    return gettext("%(provider)s sent an answer that we do not understand.") % {"provider": provider.label}


def _unavailable(provider: Provider) -> str:
    words = gettext("%(provider)s is not available right now. Please try again later, or comment as a guest.")
    return words % {"provider": provider.label}


def _refused(provider: Provider, code: str) -> str:
    """Return that a provider refused a login, with the code of its reason if it is known."""
    if not code:
        return gettext("%(provider)s refused the login.") % {"provider": provider.label}
    words = gettext("%(provider)s refused the login (%(code)s).")
    return words % {"provider": provider.label, "code": code}
