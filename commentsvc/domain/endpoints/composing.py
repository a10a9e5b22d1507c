"""Writes the request of a delivery when it is due, if its event is still true."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.endpoints import chat_messages, event_data
from commentsvc.domain.endpoints.endpoint_secrets import EndpointSecrets
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.integrations import build_hooks, webhook_signature
from commentsvc.integrations.chat import discord, matrix, ntfy, slack, telegram
from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest
from commentsvc.models import BUILDS, Delivery, DeliveryState, Endpoint, EndpointKind, Event


@dataclass(frozen=True, slots=True)
class RequestWriter:
    """Writes requests for one service."""

    links: MailLinks
    secret_key: str

    def write(
        self, session: Session, row: Delivery, endpoint: Endpoint, secrets: EndpointSecrets, at: datetime
    ) -> OutgoingRequest | None:
        """Return the request of a delivery; None if its event is no longer true. Needs the row's lock."""
        if endpoint.kind in BUILDS:
            _join_builds(session, row, at)
            return _build(endpoint, secrets)
        if endpoint.kind is EndpointKind.WEBHOOK:
            return self._webhook(session, row, endpoint, secrets, at)
        message = chat_messages.write(session, row, endpoint, self.links, self.secret_key)
        return _chat(row, endpoint, secrets, message) if message else None

    def _webhook(
        self, session: Session, row: Delivery, endpoint: Endpoint, secrets: EndpointSecrets, at: datetime
    ) -> OutgoingRequest | None:
        body = event_data.body(session, row, endpoint.site, self.links)
        if body is None:
            return None
        signed = webhook_signature.headers(number_of(row), at, body, secrets.signing_keys(at))
        return OutgoingRequest(secrets.url, body, {"Content-Type": "application/json", **signed})


def number_of(row: Delivery) -> str:
    """Return the id of a message: the same at each attempt, and never that of another message.

    The row's number alone could be given again, after old rows are deleted.
    """
    text = f"{row.id} {row.endpoint_id} {row.created_at.isoformat()}"
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _chat(
    row: Delivery, endpoint: Endpoint, secrets: EndpointSecrets, message: ChatMessage
) -> OutgoingRequest:
    match endpoint.kind:
        case EndpointKind.SLACK:
            return slack.request(secrets.url, message)
        case EndpointKind.DISCORD:
            return discord.request(secrets.url, message)
        case EndpointKind.TELEGRAM:
            return telegram.request(secrets.token, secrets.target, message)
        case EndpointKind.NTFY:
            return ntfy.request(secrets.url, secrets.target, secrets.token, message)
        case EndpointKind.MATRIX:
            number = number_of(row)
            return matrix.request(secrets.url, secrets.target, secrets.token, message, number=number)
        case _:
            raise ValueError(endpoint.kind)


def _build(endpoint: Endpoint, secrets: EndpointSecrets) -> OutgoingRequest:
    if endpoint.kind is EndpointKind.GITHUB:
        return build_hooks.github_request(secrets.target, secrets.token)
    return build_hooks.request(secrets.url)


def _join_builds(session: Session, row: Delivery, at: datetime) -> None:
    """Skip the other builds of changes that this build shows as well."""
    others = update(Delivery).where(
        Delivery.endpoint_id == row.endpoint_id,
        Delivery.state == DeliveryState.WAITING,
        Delivery.event != Event.TEST,
        Delivery.id != row.id,
        Delivery.created_at <= at,
    )
    values = {"state": DeliveryState.SKIPPED, "next_attempt_at": None, "closed_at": at}
    change_rows(session, others.values(values))
