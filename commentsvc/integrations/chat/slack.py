"""Slack's incoming webhooks; Mattermost and Rocket.Chat have the same form."""

from __future__ import annotations

from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request


def request(url: str, message: ChatMessage) -> OutgoingRequest:
    """Return the request that shows a message in the channel of the secret `url`."""
    text = message.fenced().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return json_request(url, {"text": text, "link_names": 0, "unfurl_links": False, "unfurl_media": False})
