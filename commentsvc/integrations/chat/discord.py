"""Discord's webhooks."""

from __future__ import annotations

from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request

_WITHOUT_PREVIEWS = 4
"""The flag that shows no previews of links."""


def request(url: str, message: ChatMessage) -> OutgoingRequest:
    """Return the request that shows a message in the channel of the secret `url`; it addresses nobody."""
    body = {
        "content": message.fenced(),
        "allowed_mentions": {"parse": []},
        "flags": _WITHOUT_PREVIEWS,
    }
    return json_request(url, body)
