"""Asking login providers while somebody waits: with no transaction open, and never by all threads at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from commentsvc.adapters.providers import mastodon
from commentsvc.adapters.providers.attempt import Attempt
from commentsvc.adapters.providers.catalogue import Provider
from commentsvc.adapters.providers.profile import Profile
from commentsvc.domain.persons import instances
from commentsvc.errors import ProviderError
from commentsvc.web.context import database, flow, settings

# A worker has four threads; one of them at least is not to wait for other servers.
_PLACES = threading.BoundedSemaphore(3)
_PATIENCE = 0.2
"""Seconds."""


def begin(provider: Provider, typed: str) -> tuple[str, str, Attempt]:
    """Return where to go for a login, what that place is called, and what to remember; raises ProviderError.

    `typed` is the Mastodon instance that a person named.
    """
    instance = mastodon.host_of(typed) if provider.key == "mastodon" else ""
    with _asking():
        there = _at(provider, instance)
        url, attempt = flow().begin(there, _callback(provider, instance), instance=instance)
    return url, there.label, attempt


def finish(provider: Provider, attempt: Attempt, answer: Mapping[str, str]) -> Profile:
    """Return who logged in; raises ProviderError."""
    with _asking():
        there = _at(provider, attempt.instance)
        return flow().finish(there, _callback(provider, attempt.instance), attempt, answer)


@contextmanager
def _asking() -> Iterator[None]:
    database().rollback()
    if not _PLACES.acquire(timeout=_PATIENCE):
        raise ProviderError("Many people are logging in just now. Please try again in a moment.")
    try:
        yield
    finally:
        _PLACES.release()


def _at(provider: Provider, instance: str) -> Provider:
    """Return the provider as it is at a Mastodon instance; others stay as they are."""
    if not instance:
        return provider
    return instances.at(database(), provider, instance, _callback(provider, instance))


def _callback(provider: Provider, instance: str) -> str:
    return f"{settings().base_url}/login/callback/{provider.key}{f'/{instance}' if instance else ''}"
