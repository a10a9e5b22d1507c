"""A reader without an account, as the server meets them: the frame's page, its form, its small requests."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from flask import Flask
from itsdangerous import TimestampSigner
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import Base, begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.models import Policy
from tests.conftest import BASE_URL, BLOG

ARTICLE = f"{BLOG}/article"
DETAILS = {"name": "Anna", "email": "anna@mail.example", "website": "https://anna.example/"}
JSON = {"Accept": "application/json"}


def add_site(app: Flask, name: str = "Blog", origin: str = BLOG, **settings: Any) -> int:
    """Add a site that shows every comment at once, unless told otherwise; return its id."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        site = sites.add(session, name, [origin], owner_id=accounts.operator(session).id)
        for key, value in {"policy": Policy.OPEN, **settings}.items():
            setattr(site, key, value)
        session.commit()
        return site.id


def contents(app: Flask) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the database, table by table."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


class GuestClient:
    """Reads one article, as its thread's frame does."""

    def __init__(self, app: Flask, url: str = ARTICLE, **asked: str) -> None:
        self.client = app.test_client()
        self.asked = {"url": url, **asked}

    def get(self, path: str = "/embed", headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.get(
            f"{path}?{urlencode(self.asked | more)}", base_url=BASE_URL, headers=headers, buffered=True
        )

    def own(self, key: str | None = None) -> dict[str, Any]:
        """What this reader alone may know."""
        answer = self.get("/embed/own", headers={"X-Author-Key": key} if key else {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    def token(self, *, age: float = 60) -> str:
        """The token of a form that was opened `age` seconds ago."""
        with patch.object(TimestampSigner, "get_timestamp", return_value=int(time.time() - age)):
            return str(self.own()["token"])

    def form(self, text: str = "Hello", **fields: Any) -> dict[str, Any]:
        """Everything that the form would send."""
        return {**self.asked, **DETAILS, "text": text, **fields}

    def send(
        self,
        data: Any,
        *,
        door: str = "/embed",
        headers: dict[str, str | None] | None = None,
        json: bool = True,
        **more: Any,
    ) -> TestResponse:
        """Post a form as it is; a header that is None is left out."""
        usual = {
            "Origin": BASE_URL,
            "Sec-Fetch-Site": "same-origin",
            **(JSON if json else {}),
            **(headers or {}),
        }
        sent = {name: value for name, value in usual.items() if value is not None}
        return self.client.post(f"{door}/comments", base_url=BASE_URL, data=data, headers=sent, **more)

    def post(
        self, text: str = "Hello", *, door: str = "/embed", json: bool = True, **fields: Any
    ) -> TestResponse:
        """Fill in the form and send it."""
        fields.setdefault("token", self.token())
        return self.send(self.form(text, **fields), door=door, json=json)

    def posted(self, text: str = "Hello", **fields: Any) -> int:
        """Post a comment that must be taken; return its id."""
        answer = self.post(text, **fields)
        assert answer.status_code == 200, answer.text
        return int((answer.json or {})["id"])


class Elements(HTMLParser):
    """A page's elements, flat: tag, attributes, text inside it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of each `tag` that has these; `class_` asks for one of its classes."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            found
            for name, found in self.found
            if name == tag
            and all(
                value in (found.get(key) or "").split() if key == "class" else found.get(key) == value
                for key, value in wanted.items()
            )
        ]

    def ids(self) -> list[str]:
        return [str(found["id"]) for _, found in self.found if found.get("id")]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
