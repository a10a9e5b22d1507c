"""What owners do with endpoints: add, change, switch on and off, remove, and look at their log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions
from commentsvc.domain.endpoints import endpoint_fields, endpoint_secrets
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.domain.endpoints.endpoint_secrets import EndpointSecrets
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.integrations import webhook_signature
from commentsvc.messages import gettext
from commentsvc.models import (
    BUILDS,
    CHATS,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DeliveryTry,
    Endpoint,
    EndpointKind,
    Event,
)

MOST = 20
"""Endpoints of one site."""
LOGGED = 50
"""Deliveries in the log."""


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery in an endpoint's log, with its attempts, the latest first."""

    delivery: Delivery
    tries: Sequence[DeliveryTry]


def is_any(session: Session) -> bool:
    """Whether any site has an endpoint."""
    has_one = bool(session.scalar(select(exists().where(Endpoint.id > 0))))
    session.rollback()
    return has_one


def of_site(session: Session, site_id: int) -> Sequence[Endpoint]:
    """Return the endpoints of a site, in the order in which they were added."""
    return session.scalars(select(Endpoint).where(Endpoint.site_id == site_id).order_by(Endpoint.id)).all()


def get(session: Session, site_id: int, endpoint_id: int) -> Endpoint:
    """Return an endpoint of a site; raises NotFoundError."""
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None or endpoint.site_id != site_id:
        raise NotFoundError
    return endpoint


def target_of(secret_key: str, endpoint: Endpoint) -> str:
    """Return the chat, room, topic or repository of an endpoint; empty if it has none, or it cannot be read."""
    secrets = endpoint_secrets.unseal(secret_key, endpoint)
    return secrets.target if secrets else ""


def add(
    session: Session,
    secret_key: str,
    private_origins: Collection[str],
    *,
    site_id: int,
    kind: EndpointKind,
    draft: EndpointDraft,
    person_id: int,
    at: datetime,
) -> tuple[Endpoint, str]:
    """Add an endpoint; return it, and of a webhook its signing secret, which is shown once. Needs `begin_write`.

    Raises InvalidFieldsError.
    """
    if (session.scalar(select(func.count()).where(Endpoint.site_id == site_id)) or 0) >= MOST:
        raise InvalidFieldsError(
            {"name": gettext("A site has at most %(number)s of these.") % {"number": MOST}}
        )
    secrets = endpoint_fields.checked(kind, draft, private_origins)
    if kind is EndpointKind.WEBHOOK:
        secrets = replace(secrets, key=webhook_signature.new_secret())
    endpoint = Endpoint(
        site_id=site_id,
        commenter_id=person_id,
        kind=kind,
        name=endpoint_fields.name(draft.name),
        host=endpoint_fields.host(kind, secrets),
        sealed=endpoint_secrets.seal(secret_key, secrets),
        events=endpoint_fields.event_words(kind, draft.events),
        has_links=draft.has_links and kind in CHATS,
        created_at=at,
    )
    session.add(endpoint)
    session.flush()
    _log(session, endpoint, "add", f"Added “{endpoint.name}” to webhooks and chat.", person_id, at)
    return endpoint, secrets.key


def change(
    session: Session,
    secret_key: str,
    private_origins: Collection[str],
    endpoint: Endpoint,
    draft: EndpointDraft,
    *,
    person_id: int,
    at: datetime,
) -> str:
    """Change an endpoint; an empty URL or token stays as it is. Needs `begin_write`; raises InvalidFieldsError.

    Returns the signing secret of a webhook if it got a new one because the former one cannot be read. The links of its
    messages then decide in the name of the person who changes it.
    """
    former = endpoint_secrets.unseal(secret_key, endpoint) or EndpointSecrets()
    whole = replace(draft, url=draft.url or former.url, token=draft.token or former.token)
    typed = endpoint_fields.checked(endpoint.kind, whole, private_origins)
    if former.url and typed.url != former.url and not draft.token and former.token:
        # Else a new address would get a token that was typed for another one.
        raise InvalidFieldsError({"token": gettext("Please enter the token for the new address.")})
    secrets = replace(former, url=typed.url, token=typed.token, target=typed.target)
    new_key = ""
    if endpoint.kind is EndpointKind.WEBHOOK and not former.key:
        new_key = webhook_signature.new_secret()
        secrets = replace(secrets, key=new_key)
    endpoint.name, endpoint.host = (
        endpoint_fields.name(draft.name),
        endpoint_fields.host(endpoint.kind, secrets),
    )
    endpoint.sealed = endpoint_secrets.seal(secret_key, secrets)
    endpoint.events = endpoint_fields.event_words(endpoint.kind, draft.events)
    endpoint.has_links = draft.has_links and endpoint.kind in CHATS
    endpoint.commenter_id = person_id
    session.flush()
    _log(session, endpoint, "change", f"Changed “{endpoint.name}” in webhooks and chat.", person_id, at)
    return new_key


def rotate(session: Session, secret_key: str, endpoint: Endpoint, *, person_id: int, at: datetime) -> str:
    """Give a webhook a new signing secret and return it; the former one signs for a day more. Needs `begin_write`."""
    if endpoint.kind is not EndpointKind.WEBHOOK:
        raise NotFoundError
    former = endpoint_secrets.unseal(secret_key, endpoint)
    if former is None:
        raise InvalidFieldsError({"url": gettext("Please enter the address again, and save, before this.")})
    secrets = former.rotated(at)
    endpoint.sealed = endpoint_secrets.seal(secret_key, secrets)
    session.flush()
    _log(session, endpoint, "rotate", f"Gave “{endpoint.name}” a new signing secret.", person_id, at)
    return secrets.key


def switch_on(session: Session, endpoint: Endpoint, *, person_id: int, at: datetime) -> None:
    """Send to an endpoint again, of what happens from now on. Needs `begin_write`."""
    endpoint.off_at = endpoint.off_reason = endpoint.failing_since = endpoint.paused_until = None
    session.flush()
    _log(session, endpoint, "on", f"Switched “{endpoint.name}” on.", person_id, at)


def log_off(session: Session, endpoint: Endpoint, *, person_id: int, at: datetime) -> None:
    """Log that an owner switched an endpoint off. Needs `begin_write`."""
    _log(session, endpoint, "off", f"Switched “{endpoint.name}” off.", person_id, at)


def remove(session: Session, endpoint: Endpoint, *, person_id: int, at: datetime) -> None:
    """Delete an endpoint with its secrets and its log. Needs `begin_write`."""
    _log(session, endpoint, "remove", f"Removed “{endpoint.name}” from webhooks and chat.", person_id, at)
    gone = delete(Endpoint).where(Endpoint.id == endpoint.id)
    change_rows(session, gone)


def enqueue_test(session: Session, endpoint: Endpoint, *, at: datetime) -> None:
    """Send a test as soon as possible. Needs `begin_write`."""
    kind = DeliveryKind.CHAT if endpoint.kind in CHATS else DeliveryKind.WEBHOOK
    session.add(
        Delivery(
            site_id=endpoint.site_id,
            kind=DeliveryKind.BUILD if endpoint.kind in BUILDS else kind,
            endpoint_id=endpoint.id,
            event=Event.TEST,
            next_attempt_at=at,
            created_at=at,
        )
    )
    endpoint.paused_until = None
    session.flush()


def send_again(session: Session, endpoint: Endpoint, delivery_id: int, *, at: datetime) -> None:
    """Send a delivery once more, with the same id; raises NotFoundError. Needs `begin_write`."""
    row = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None or row.endpoint_id != endpoint.id:
        raise NotFoundError
    row.state, row.attempts, row.next_attempt_at, row.closed_at = DeliveryState.WAITING, 0, at, None
    endpoint.paused_until = None
    session.flush()


def log_of(session: Session, endpoint: Endpoint) -> list[LoggedDelivery]:
    """Return the latest deliveries of an endpoint with their attempts."""
    mine = select(Delivery).where(Delivery.endpoint_id == endpoint.id)
    rows = session.scalars(mine.order_by(Delivery.id.desc()).limit(LOGGED)).all()
    tries: dict[int, list[DeliveryTry]] = {row.id: [] for row in rows}
    of_these = select(DeliveryTry).where(DeliveryTry.delivery_id.in_(tries))
    for each in session.scalars(of_these.order_by(DeliveryTry.id.desc())):
        tries[each.delivery_id].append(each)
    return [LoggedDelivery(row, tries[row.id]) for row in rows]


def _log(session: Session, endpoint: Endpoint, what: str, summary: str, person_id: int, at: datetime) -> None:
    actions.record(
        session,
        site_id=endpoint.site_id,
        moderator_id=person_id,
        kind=f"endpoint.{what}",
        summary=summary,
        at=at,
        facts={"endpoint": endpoint.id},
    )
