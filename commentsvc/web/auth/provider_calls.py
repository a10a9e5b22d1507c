"""Calls to login providers, without an open transaction and with limits on waiting threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from commentsvc.domain.accounts import mastodon_instances
from commentsvc.errors import ProviderUnavailableError
from commentsvc.integrations.oauth import mastodon
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.profile import Profile
from commentsvc.integrations.oauth.received_notice import ReceivedNotice
from commentsvc.integrations.oauth.state import OAuthState
from commentsvc.messages import gettext
from commentsvc.web.context import database, flow, now, settings

SHARE = 2
"""Threads of a process that may wait for one server: slow servers must leave some for the others."""
MASTODON_SHARE = 3
"""Threads that may wait for all Mastodon instances together, because strangers can name any number of them."""
# A worker has eight threads for slow requests; at least two must not wait for other servers.
_PLACES = threading.BoundedSemaphore(6)
_PATIENCE = 0.5
"""Seconds to wait for a free share."""


class ProviderShares:
    """Counts the threads that wait for each server."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: Counter[str] = Counter()

    def acquire(self, shares: Mapping[str, int]) -> bool:
        """Count one more thread for each name, within its share; return False if there is no room in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._have_room(shares), _PATIENCE):
                return False
            self._waiting.update(shares.keys())
            return True

    def release(self, shares: Mapping[str, int]) -> None:
        """Count one thread less for each name."""
        with self._changed:
            for name in shares:
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name]  # strangers choose the names, so zero counts must not accumulate
            self._changed.notify_all()

    def _have_room(self, shares: Mapping[str, int]) -> bool:
        return all(self._waiting[name] < most for name, most in shares.items())


_SHARES = ProviderShares()


def begin(provider: Provider, typed: str) -> tuple[str, str, OAuthState]:
    """Return the URL of a login, the provider's label, and what to remember; raises ProviderError.

    `typed` is the Mastodon instance that the person entered.
    """
    instance = mastodon.host_of(typed) if provider.asks_server else ""
    with _calls(provider, instance):
        there = _label(provider, instance)
        url, attempt = flow().begin(there, _callback(provider, instance), instance=instance)
    return url, there.label, attempt


def finish(provider: Provider, attempt: OAuthState, answer: Mapping[str, str]) -> Profile:
    """Return the profile of the person who logged in; raises ProviderError."""
    with _calls(provider, attempt.instance):
        there = _label(provider, attempt.instance)
        return flow().finish(there, _callback(provider, attempt.instance), attempt, answer)


def read_apple_notice(provider: Provider, token: str) -> ReceivedNotice | None:
    """Return Apple's notice; None if there is nothing to do. Raises InvalidNoticeError, ProviderError."""
    with _calls(provider, ""):
        from commentsvc.integrations.oauth import apple_notices  # here, because few services need it

        return apple_notices.read(token, provider, flow().metadata, at=now().timestamp())


@contextmanager
def _calls(provider: Provider, instance: str) -> Iterator[None]:
    database().rollback()
    shares = {provider.key: SHARE}
    if instance:
        shares = {provider.key: MASTODON_SHARE, f"{provider.key} {instance}": SHARE}
    if not _SHARES.acquire(shares):
        raise ProviderUnavailableError(
            gettext("%(provider)s is slow to answer. Please try again in a moment.")
            % {"provider": instance or provider.label}
        )
    try:
        with _hold_place():
            yield
    finally:
        _SHARES.release(shares)


@contextmanager
def _hold_place() -> Iterator[None]:
    if not _PLACES.acquire(timeout=_PATIENCE):
        raise ProviderUnavailableError(
            gettext("Many people are logging in right now. Please try again in a moment.")
        )
    try:
        yield
    finally:
        _PLACES.release()


def _label(provider: Provider, instance: str) -> Provider:
    """Return the provider for a Mastodon instance; other providers unchanged."""
    if not instance:
        return provider
    return mastodon_instances.provider_of(database(), provider, instance, _callback(provider, instance))


def _callback(provider: Provider, instance: str) -> str:
    return f"{settings().base_url}/login/callback/{provider.key}{f'/{instance}' if instance else ''}"
