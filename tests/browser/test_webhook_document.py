"""The code that docs/webhooks.md gives for verifying a webhook, against what is really signed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page

from commentsvc.integrations import webhook_signature
from commentsvc.models import now
from tests.support.browser import Service
from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def block(language: str) -> str:
    """Return the one block of code in a language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(code)


def test_the_documented_code_accepts_what_we_sign_and_nothing_else(page: Page, service: Service) -> None:
    first, second = webhook_signature.new_secret(), webhook_signature.new_secret()
    body = '{"type":"comment.published","data":"ünïcode"}'
    headers = webhook_signature.headers("msg_1", now(), body.encode(), [second, first])
    old = webhook_signature.headers("msg_1", now() - timedelta(minutes=6), body.encode(), [first])
    cases = [
        (first, headers, body, True),
        (second, headers, body, True),
        (webhook_signature.new_secret(), headers, body, False),
        (first, headers, body + " ", False),
        (first, headers | {"webhook-id": "msg_2"}, body, False),
        (first, old, body, False),
    ]
    names: dict[str, Any] = {}
    exec(block("python"), names)
    assert [names["verify"](key, sent, text.encode()) for key, sent, text, _ in cases] == [
        right for *_, right in cases
    ]
    page.goto(f"{service.url}/privacy")
    run = "async ([key, sent, text]) => { " + block("js") + " return verify(key, sent, text); }"
    for key, sent, text, right in cases:
        assert page.evaluate(run, [key, sent, text]) is right
