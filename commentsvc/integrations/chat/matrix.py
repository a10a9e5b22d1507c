"""Matrix: a notice in a room. The transaction's number lets the server see a repeated request as the same."""

from __future__ import annotations

from urllib.parse import quote

from commentsvc.integrations.chat.message import ChatMessage
from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request


def request(origin: str, room: str, token: str, message: ChatMessage, *, number: str) -> OutgoingRequest:
    """Return the request that writes a plain message, without HTML, into a room; it addresses nobody."""
    path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/send/m.room.message/{quote(number, safe='')}"
    body = {"msgtype": "m.notice", "body": message.text(), "m.mentions": {}}
    return json_request(origin + path, body, token=token, method="PUT")
