"""Telegram's bots. The token is in the URL, which is therefore never shown or logged."""

from __future__ import annotations

from html import escape

from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request

ORIGIN = "https://api.telegram.org"


def request(token: str, chat: str, message: ChatMessage, *, origin: str = ORIGIN) -> OutgoingRequest:
    """Return the request by which a bot writes a message to a chat."""
    lines = [escape(message.headline)]
    if message.quoted:
        lines.append(f"<pre>{escape(message.quoted)}</pre>")
    lines += [f'<a href="{escape(link.url)}">{escape(link.label)}</a>' for link in message.links]
    body = {
        "chat_id": chat,
        "text": "\n".join(lines),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    return json_request(f"{origin}/bot{token}/sendMessage", body)
