"""Asks a provider whether it knows our client id, secret and redirect address, without logging anybody in.

A code that does not exist is exchanged: a provider checks the client before the code (RFC 6749, 5.2). Whether it knows
the redirect address can be told of OpenID Connect: asked with `prompt=none`, it sends a browser that is not logged in
straight back to a known address (Core 1.0, 3.1.2.6), and never to an unknown one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import requests
from authlib.common.errors import AuthlibBaseError

from commentsvc.errors import OutboundError, ProviderError, RedirectedError
from commentsvc.http_client import client as http_client
from commentsvc.integrations.oauth import transport
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.flow import Flow, client_of

_NO_CODE = "commentsvc-doctor"
_CLIENT_REFUSED = frozenset({"invalid_client", "unauthorized_client", "incorrect_client_credentials"})
_ADDRESS_REFUSED = frozenset({"redirect_uri_mismatch"})
_ONLY_CODE_REFUSED = frozenset({"invalid_grant", "bad_verification_code"})


class ProviderVerdict(StrEnum):
    """What a provider says of one of our values."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ClientRegistration:
    """What a provider knows of us."""

    client: ProviderVerdict = ProviderVerdict.UNKNOWN
    """The client id and the secret together."""
    address: ProviderVerdict = ProviderVerdict.UNKNOWN
    """The redirect address."""
    said: str = ""
    """The provider's word for what it refused, such as invalid_client."""
    date: str = ""
    """The `Date` header of its answer; an outside clock."""


def ask(provider: Provider, redirect_uri: str, flow: Flow | None = None) -> ClientRegistration:
    """Return what the provider tells; raises ProviderError if it does not answer, or its discovery fails."""
    flow = flow or Flow()
    result = _exchanged(flow, provider, redirect_uri)
    if result.address is ProviderVerdict.UNKNOWN and provider.openid:
        return replace(result, address=_address(flow, provider, redirect_uri))
    return result


def _exchanged(flow: Flow, provider: Provider, redirect_uri: str) -> ClientRegistration:
    endpoints = flow.endpoints(provider)
    secret = provider.secret
    dates: list[str] = []

    def note_date(response: requests.Response) -> requests.Response:
        dates.append(response.headers["Date"])
        return response

    word = ""
    try:
        with client_of(provider, endpoints, redirect_uri, secret) as client:
            client.register_compliance_hook("access_token_response", note_date)
            client.fetch_token(
                endpoints.token,
                code=_NO_CODE,
                grant_type="authorization_code",
                headers={"Accept": "application/json"},
                **({"code_verifier": _NO_CODE * 3} if provider.pkce else {}),
            )
    except AuthlibBaseError as error:
        word = str(error.error or "")[:60]
    except (requests.HTTPError, ValueError, TypeError, KeyError, AttributeError):
        pass  # an answer in a form of its own: nothing can be told from it
    except (requests.RequestException, OSError) as error:
        raise ProviderError(f"{provider.label} does not answer: {error}") from error
    return ClientRegistration(
        client=_verdict(word, _ONLY_CODE_REFUSED | _ADDRESS_REFUSED, _CLIENT_REFUSED),
        address=_verdict(word, frozenset(), _ADDRESS_REFUSED),
        said=word,
        date=dates[0] if dates else "",
    )


def _verdict(word: str, good: frozenset[str], bad: frozenset[str]) -> ProviderVerdict:
    if word in bad:
        return ProviderVerdict.REFUSED
    return ProviderVerdict.ACCEPTED if word in good else ProviderVerdict.UNKNOWN


def _address(flow: Flow, provider: Provider, redirect_uri: str) -> ProviderVerdict:
    url, _ = flow.begin(provider, redirect_uri)
    try:
        answer = http_client.fetch(
            f"{url}&prompt=none",
            largest=transport.LARGEST,
            seconds=transport.SECONDS,
            accept=frozenset(),
            redirects=0,
            allow_private=True,
        )
    except RedirectedError as error:
        is_ours = error.url.partition("?")[0] == redirect_uri
        return ProviderVerdict.ACCEPTED if is_ours else ProviderVerdict.UNKNOWN
    except OutboundError:
        return ProviderVerdict.UNKNOWN
    return ProviderVerdict.REFUSED if answer.status == 400 else ProviderVerdict.UNKNOWN
