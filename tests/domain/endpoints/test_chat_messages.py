"""Chat messages: what is sent to each service, and that nothing a stranger writes formats, links or addresses there."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest

from commentsvc.db.session import begin_write
from commentsvc.domain.endpoints import composing
from commentsvc.domain.endpoints.endpoint_secrets import EndpointSecrets
from commentsvc.integrations.chat.message import ChatLink, ChatMessage, harmless, harmless_line
from commentsvc.integrations.outgoing_request import OutgoingRequest
from commentsvc.models import Delivery, Endpoint, EndpointKind, Policy, Status, now
from tests.domain.endpoints.conftest import Desk
from tests.support.attacks import ATTACKS

TOKEN = "123456:AAsecret"
SECRETS = EndpointSecrets("https://chat.example/hook", TOKEN, "!room:chat.example")
KINDS = [kind for kind in EndpointKind if kind.value in ("slack", "discord", "telegram", "ntfy", "matrix")]
HOSTILE = [
    "@everyone @here @channel <!channel> <!here> <@U123> <@&42> <#C1> @room",
    "\uff20everyone @\u200beveryone <https://evil.test|click>",
    "``` @everyone ``` **bold** [click](https://evil.test) ![x](https://evil.test/x.png)",
    "`````` <b>bold</b> </pre><a href='https://evil.test'>x</a>",
    "</code></pre><script>alert(1)</script>&lt;b&gt;",
    "line\r\n\r\nHeader: x\u2028new\u202eesrever\x00\x1b[31m",
    "# heading\n> quote\n- list\n||spoiler|| ~~x~~ __u__",
    "a" * 20_000,
    "@" * 20_000,
    "💥" * 20_000,
]


def request_of(kind: EndpointKind, message: ChatMessage) -> OutgoingRequest:
    row = Delivery(id=7, endpoint_id=1, created_at=now())
    return composing._chat(row, Endpoint(kind=kind), SECRETS, message)


def strangers(text: str) -> ChatMessage:
    quoted = f"{harmless_line(text)}, on “{harmless_line(text)}”:\n{harmless(text)}"
    links = [ChatLink("Approve", "https://c.example/mail/held/1/t/approve")]
    return ChatMessage("New comment on Blog", quoted, links)


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str | None] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href"]


def check_slack(body: dict[str, Any]) -> None:
    assert set(body) == {"text", "link_names", "unfurl_links", "unfurl_media"}
    assert "<" not in body["text"]
    assert ">" not in body["text"]
    assert not re.search(r"&(?!amp;|lt;|gt;)", body["text"])
    assert body["text"].count("```") == 2
    assert "`" not in body["text"].replace("```", "")


def check_discord(body: dict[str, Any]) -> None:
    assert body["allowed_mentions"] == {"parse": []}
    assert len(body["content"].encode("utf-16-le")) // 2 <= 2000
    assert body["content"].count("```") == 2
    assert "`" not in body["content"].replace("```", "")


def check_telegram(body: dict[str, Any]) -> None:
    tags = Tags(body["text"])
    assert tags.tags == ["pre", "a"]
    assert tags.links == ["https://c.example/mail/held/1/t/approve"]
    assert body["parse_mode"] == "HTML"
    assert len(body["text"]) < 8192  # of at most 4,096 characters after the entities are read


def check_ntfy(body: dict[str, Any]) -> None:
    assert body["markdown"] is False
    assert "\n" not in body["title"]
    assert len(body["message"].encode()) <= 4096
    assert [action["url"] for action in body["actions"]] == ["https://c.example/mail/held/1/t/approve"]


def check_matrix(body: dict[str, Any]) -> None:
    assert set(body) == {"msgtype", "body", "m.mentions"}  # no formatted_body: nothing is read as HTML
    assert body["m.mentions"] == {}


CHECKS = {
    EndpointKind.SLACK: check_slack,
    EndpointKind.DISCORD: check_discord,
    EndpointKind.TELEGRAM: check_telegram,
    EndpointKind.NTFY: check_ntfy,
    EndpointKind.MATRIX: check_matrix,
}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_a_stranger_writes_formats_or_addresses(kind: EndpointKind) -> None:
    for text in [*HOSTILE, *(attack.text for attack in ATTACKS)]:
        request = request_of(kind, strangers(text))
        body = json.loads(request.body)
        CHECKS[kind](body)
        shown = " ".join(str(value) for value in body.values())
        assert not re.search("[@\uff20](?![\u2060…])\\S", shown), text
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown), text


def test_each_service_gets_the_form_that_it_documents() -> None:
    message = ChatMessage("Hello", "Ada: 1 < 2", [ChatLink("Look", "https://c.example/?a=1&b=2")])
    requests = {kind.value: request_of(kind, message) for kind in KINDS}
    assert {name: request.method for name, request in requests.items()} == {
        **dict.fromkeys(("slack", "discord", "telegram", "ntfy"), "POST"),
        "matrix": "PUT",
    }
    assert requests["telegram"].url == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    assert json.loads(requests["telegram"].body)["chat_id"] == "!room:chat.example"
    assert requests["ntfy"].url == "https://chat.example/hook/"
    assert json.loads(requests["ntfy"].body)["topic"] == "!room:chat.example"
    path = unquote(requests["matrix"].url)
    assert "/_matrix/client/v3/rooms/!room:chat.example/send/m.room.message/msg_" in path
    for name in ("ntfy", "matrix"):
        assert requests[name].headers["Authorization"] == f"Bearer {TOKEN}"
    for request in requests.values():
        assert TOKEN not in repr(request)
    assert TOKEN not in repr(SECRETS)


def test_a_chat_is_told_of_held_comments_with_links_only_where_an_owner_wants_them(desk: Desk) -> None:
    begin_write(desk.session)
    desk.site.policy = Policy.HOLD_ALL
    desk.session.commit()
    plain = desk.add(EndpointKind.SLACK, "/plain", events=["comment.held"])
    desk.add(EndpointKind.SLACK, "/links", events=["comment.held"], has_links=True)
    comment = desk.write("Let me in <!channel>")
    assert desk.work(desk.later) == 2
    texts = {request.path: request.json["text"] for request in desk.came.requests}
    assert "Let me in &lt;!channel&gt;" in texts["/plain"]
    assert "Approve: " not in texts["/plain"]
    assert re.search(r"Approve: \S+/mail/held/\d+/[0-9a-f]{32}/approve\n", texts["/links"])
    assert desk.work(desk.later) == 0
    assert plain.wants
    # One that was decided on before the message is due is not told.
    second = desk.write("Another")
    begin_write(desk.session)
    second.status = comment.status = Status.SPAM
    desk.session.commit()
    assert desk.work(desk.later) == 0
