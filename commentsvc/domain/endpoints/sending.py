"""Sends what is due to endpoints: each request at least once, with the same id, until it is answered with 2xx."""

from __future__ import annotations

import json
import logging
import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.endpoints import endpoint_secrets, failure_mail
from commentsvc.domain.endpoints.composing import RequestWriter
from commentsvc.domain.notifications import outbox
from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, HttpResponse, Network
from commentsvc.integrations.outgoing_request import OutgoingRequest
from commentsvc.models import Delivery, DeliveryState, DeliveryTry, Endpoint, OffReason

log = logging.getLogger(__name__)

SECONDS = 15.0
"""The time within which an endpoint must answer."""
AGAIN_AFTER = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay after each failed attempt, to which up to a fifth is added; three days in all."""
OFF_AFTER = timedelta(days=3)
"""An endpoint that fails for this long is switched off."""
LONGEST_PAUSE = timedelta(minutes=5)
"""An endpoint that failed gets nothing for at most this long, unless it asked for a longer pause."""
LONGEST_ASKED = timedelta(days=1)
ANSWER_LONGEST = 200
_READ = 2000
_PAUSES = frozenset({429, 502, 503, 504})
_GONE = 410


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What came of one request."""

    status: int | None
    answer: str
    """Printable characters, or why there is no answer."""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class EndpointSender:
    """Sends requests, for one service."""

    writer: RequestWriter
    private_origins: Collection[str] = ()
    network: Network = INTERNET
    jitter: Callable[[], float] = field(default=random.SystemRandom().random)
    """From 0 to 1."""

    def send(self, request: OutgoingRequest, secrets: Sequence[str], at: datetime) -> SendOutcome:
        """Make a request and return what came of it. None of the `secrets` is in the outcome."""
        try:
            response = client.fetch(
                request.url,
                method=request.method,
                headers=request.headers,
                data=request.body,
                largest=_READ,
                seconds=SECONDS,
                accept=frozenset(),
                redirects=0,
                is_remark=True,
                allow_private=endpoint_secrets.is_private(request.url, self.private_origins),
                network=self.network,
            )
        except OutboundError as error:
            return SendOutcome(None, _printable(str(error), secrets))
        text = response.body.decode(errors="replace")
        return SendOutcome(response.status, _printable(text, secrets), _asked_pause(response, at))


def deliver(session: Session, sender: EndpointSender, *, at: datetime) -> bool:
    """Send what is due longest; return whether there may be more to do. Commits.

    No other process sends it meanwhile. If this process stops in between, it is sent again later, with the same id.
    """
    is_ready = or_(Endpoint.paused_until.is_(None), Endpoint.paused_until <= at)
    ready = exists().where(Endpoint.id == Delivery.endpoint_id, is_ready)
    row = outbox.take_due(session, at, Delivery.endpoint_id.is_not(None), ready)
    if row is None:
        return False
    endpoint = session.get_one(Endpoint, row.endpoint_id, populate_existing=True)
    secrets = endpoint_secrets.unseal(sender.writer.secret_key, endpoint)
    if secrets is None:
        switch_off(session, endpoint, OffReason.KEY, at=at)
        failure_mail.enqueue(session, endpoint, sender.writer.links, at=at)
        session.commit()
        return True
    request = None if endpoint.off_at else sender.writer.write(session, row, endpoint, secrets, at)
    if request is None:
        outbox.skip(row, at)
        session.commit()
        return True
    number, attempt = row.id, row.attempts
    session.commit()
    try:
        outcome = sender.send(request, secrets.strings(), at)
    except Exception as error:  # what cannot even be sent must be given up in the end, and stop nothing else
        log.error("delivery %s cannot be sent: %s", number, type(error).__name__)
        outcome = SendOutcome(None, type(error).__name__)
    _note(session, sender, number, attempt, outcome, at)
    return True


def switch_off(session: Session, endpoint: Endpoint, reason: OffReason, *, at: datetime) -> None:
    """Send nothing more to an endpoint; what waits is given up. Needs `begin_write`."""
    endpoint.off_at, endpoint.off_reason, endpoint.paused_until = at, reason, None
    waiting = update(Delivery).where(
        Delivery.endpoint_id == endpoint.id, Delivery.state == DeliveryState.WAITING
    )
    values = {"state": DeliveryState.FAILED, "next_attempt_at": None, "closed_at": at}
    session.flush()
    change_rows(session, waiting.values(values))


def _note(
    session: Session, sender: EndpointSender, number: int, attempt: int, outcome: SendOutcome, at: datetime
) -> None:
    begin_write(session)
    query = select(Delivery).where(Delivery.id == number)
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).first()
    if row is None or row.attempts != attempt or row.state is not DeliveryState.WAITING:
        session.rollback()  # another process has taken it since, because this one was too slow, or it is off now
        return
    session.add(DeliveryTry(delivery_id=number, at=at, status=outcome.status, answer=outcome.answer))
    endpoint = session.get_one(Endpoint, row.endpoint_id, populate_existing=True)
    if outcome.is_success:
        row.state, row.next_attempt_at, row.closed_at = DeliveryState.SENT, None, at
        endpoint.failing_since = endpoint.paused_until = None
    else:
        _note_failure(session, sender, row, endpoint, outcome, at)
    session.commit()


def _note_failure(
    session: Session,
    sender: EndpointSender,
    row: Delivery,
    endpoint: Endpoint,
    outcome: SendOutcome,
    at: datetime,
) -> None:
    endpoint.failing_since = endpoint.failing_since or at
    if outcome.status == _GONE or endpoint.failing_since <= at - OFF_AFTER:
        reason = OffReason.GONE if outcome.status == _GONE else OffReason.FAILING
        switch_off(session, endpoint, reason, at=at)
        failure_mail.enqueue(session, endpoint, sender.writer.links, at=at)
        return
    asked = outcome.retry_after or timedelta()
    if row.attempts > len(AGAIN_AFTER):
        row.state, row.next_attempt_at, row.closed_at = DeliveryState.FAILED, None, at
        delay = LONGEST_PAUSE
    else:
        delay = AGAIN_AFTER[row.attempts - 1] * (1 + sender.jitter() / 5)
        row.next_attempt_at = at + max(delay, asked)
    endpoint.paused_until = at + max(min(delay, LONGEST_PAUSE), asked)


def _printable(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "…")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:ANSWER_LONGEST]


def _asked_pause(response: HttpResponse, at: datetime) -> timedelta | None:
    """Return how long an overloaded server asks us to pause: by its header, or in the JSON of Discord or Telegram."""
    if response.status not in _PAUSES:
        return None
    header = response.headers.get("retry-after", "").strip()
    seconds = _seconds_in(response.body)
    if re.fullmatch(r"\d{1,9}", header):
        seconds = max(seconds, float(header))
    elif header:
        try:
            until = parsedate_to_datetime(header)
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            seconds = max(seconds, (until - at).total_seconds())
        except ValueError:
            pass
    return min(timedelta(seconds=seconds), LONGEST_ASKED)


def _seconds_in(body: bytes) -> float:
    try:
        value = json.loads(body)
        value = value.get("parameters", value).get("retry_after", 0)
        return min(max(float(value), 0), LONGEST_ASKED.total_seconds())
    except (ValueError, TypeError, AttributeError, RecursionError):
        return 0
