"""Somebody with a browser, who logs in: one jar of cookies for windows of ours, another for our frame in a page."""

from __future__ import annotations

import hashlib
import html
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from tests.conftest import BASE_URL, BLOG
from tests.support import provider_fakes

ARTICLE = f"{BLOG}/article"
_OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}
JSON = {"Accept": "application/json"}


class LoginClient:
    """Begins logins, comes back from providers and redeems, with or without a browser's good manners."""

    def __init__(self, app: Flask, *, article: str = ARTICLE) -> None:
        self.article = article
        self.windows = app.test_client()
        self.frame = app.test_client()
        self._bare = app.test_client
        self.verifier = ""

    def start(self, provider: str = "oidc_test", purpose: str = "frame", **fields: str) -> TestResponse:
        """Submit the form that begins a login; `verifier` is new with each."""
        self.verifier = secrets.token_hex(32)
        challenge = hashlib.sha256(self.verifier.encode()).hexdigest() if purpose in {"frame", "tab"} else ""
        data = {"provider": provider, "purpose": purpose, "url": self.article, "challenge": challenge}
        return self.post("/login/start", data | fields, jar=self.windows)

    def leave_for(self, provider: str = "oidc_test", purpose: str = "frame", **fields: str) -> str:
        """Begin a login; return the provider's address to which the window goes."""
        answer = self.start(provider, purpose, **fields)
        assert answer.status_code == 200, answer.text
        return onward(answer)

    def come_back(self, url: str, found: dict[str, str] | None = None) -> TestResponse:
        """Agree at the provider and come back from it, by whichever way it chooses."""
        found = provider_fakes.consent(url) if found is None else found
        query = {name: value for name, (value, *_) in parse_qs(urlsplit(url).query).items()}
        back = urlsplit(query["redirect_uri"]).path
        if query.get("response_mode") == "form_post":
            there = self.bring(back, found)
            return self.get(there.location, jar=self.windows) if there.status_code == 303 else there
        return self.get(f"{back}?{urlencode(found)}", jar=self.windows)

    def bring(self, path: str, found: dict[str, str]) -> TestResponse:
        """Post an answer from the provider's page: from another site, so that no cookie comes along."""
        headers = {"Origin": "https://appleid.apple.com", "Sec-Fetch-Site": "cross-site"}
        return self._bare().post(path, base_url=BASE_URL, data=found, headers=headers)

    def redeem(self, verifier: str = "", **fields: str) -> TestResponse:
        data = {"verifier": verifier or self.verifier, "url": self.article} | fields
        return self.post("/login/redeem", data)

    def log_in(self, provider: str = "oidc_test", **fields: str) -> LoginClient:
        """Go the whole way, from the frame and back to it."""
        done = self.come_back(self.leave_for(provider, **fields))
        assert done.status_code == 303, done.text
        redeemed = self.redeem()
        assert redeemed.json is not None
        assert redeemed.json["stage"] == "done", redeemed.text
        return self

    def own(self, **headers: str) -> dict[str, Any]:
        """What the service says to this reader alone."""
        answer = self.get(f"/embed/own?{urlencode({'url': self.article})}", **headers)
        assert answer.status_code == 200
        result = answer.get_json()
        assert isinstance(result, dict)
        return result

    def comment(self, text: str = "Hello", *, bearer: str = "", **fields: str | None) -> TestResponse:
        """Post as a member; None leaves a field out."""
        proof = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        own = self.own(**proof)
        data = {"url": self.article, "text": text, "token": own["token"], "identity": "member"}
        sent = data | {"csrf_token": own["csrf"]} | fields
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.post("/embed/comments", kept, **proof)

    def get(self, path: str, *, jar: Any = None, **headers: str) -> TestResponse:
        return (jar or self.frame).get(
            path, base_url=BASE_URL, headers={**JSON, **headers} if not jar else headers
        )

    def post(self, path: str, data: dict[str, str], *, jar: Any = None, **headers: str) -> TestResponse:
        """Send a form from a page of ours."""
        sent = {**_OURS, **({} if jar else JSON), **headers}
        return (jar or self.frame).post(path, base_url=BASE_URL, data=data, headers=sent)


def onward(answer: TestResponse) -> str:
    """Return where the page sends its window on to."""
    match = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]*)">', answer.text)
    assert match is not None, answer.text
    return html.unescape(match[1])
