"""Somebody with a browser: keeps cookies, sends `Origin`, and finds a form's CSRF token on the page before it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.models import Commenter, now
from tests.conftest import BASE_URL

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"><input type="hidden" name="made_for" value="([^"]*)"')


class PageToken(NamedTuple):
    """The hidden fields by which a page's forms are known."""

    csrf_token: str
    made_for: str
    """The mark of the person who saw the page."""


def token_of(html: str) -> PageToken:
    """Return the token of a page's first form."""
    match = _TOKEN.search(html)
    assert match is not None
    return PageToken(*match.groups())


class BrowserClient:
    """A browser of its own."""

    def __init__(self, app: Flask, *, base_url: str = BASE_URL) -> None:
        self.client = app.test_client()
        self.base_url = base_url

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=self.base_url, headers=headers)

    def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        return answer.text

    def token(self, path: str = "/admin/sign-in/any") -> PageToken:
        """The token of a page's first form; that of the sign-in page is there for everybody."""
        return token_of(self.page(path))

    def post(
        self,
        path: str,
        data: dict[str, Any] | None = None,
        *,
        origin: str | None = "",
        token: PageToken | str | None = "",
        fetch_site: str = "same-origin",
    ) -> TestResponse:
        """Send a form. `origin` and `token` are right where not given, and left out where None.

        A `token` that is text is the CSRF token alone.
        """
        sent, headers = dict(data or {}), {"Sec-Fetch-Site": fetch_site}
        if token is not None:
            token = token or self.token()
            sent |= token._asdict() if isinstance(token, PageToken) else {"csrf_token": token}
        if origin is not None:
            headers["Origin"] = origin or self.base_url
        return self.client.post(path, base_url=self.base_url, data=sent, headers=headers)

    def sign_in(self, session: Session, commenter: Commenter) -> BrowserClient:
        """Go through the front door with a link made for `commenter`."""
        link = link_for(session, commenter)
        answer = self.post(f"/admin/sign-in/{link}", token=self.token(f"/admin/sign-in/{link}"))
        assert answer.status_code == 303, answer.text
        return self


def link_for(session: Session, commenter: Commenter) -> str:
    """Return the secret of a fresh sign-in link."""
    begin_write(session)
    link = accounts.issue_link(session, session.get_one(Commenter, commenter.id), at=now())
    session.commit()
    return link
