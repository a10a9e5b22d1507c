"""ntfy, by JSON to its root, because headers cannot hold all characters."""

from __future__ import annotations

from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request

_MOST_ACTIONS = 3
_LARGEST = 3500
"""Bytes of a message; ntfy makes a file of more than 4,096."""


def request(origin: str, topic: str, token: str, message: ChatMessage) -> OutgoingRequest:
    """Return the request that publishes a message; `token` is empty for a topic that needs none."""
    text = (message.quoted or message.headline).encode()[:_LARGEST].decode(errors="ignore")
    actions = [{"action": "view", "label": link.label, "url": link.url} for link in message.links]
    body = {
        "topic": topic,
        "title": message.headline,
        "message": text,
        "markdown": False,
        "actions": actions[:_MOST_ACTIONS],
    }
    return json_request(f"{origin}/", body, token=token)
