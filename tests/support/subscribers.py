"""Readers who get mail: subscribe through the form, and do the background work at any time with a real mail server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.cli import background_work
from commentsvc.cli.background_work import BackgroundWork
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.models import Subscription, now
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, environment
from tests.support.guest_client import GuestClient
from tests.support.mail_server import Mailbox, mail_server

LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+[^\s>\"<]*")


class Postman:
    """The background work of one service, and the mail server that it uses."""

    def __init__(self, app: Flask, box: Mailbox, settings: Settings) -> None:
        self.app, self.box, self.settings = app, box, settings

    def work(self, at: datetime | None = None) -> list[EmailMessage]:
        """Do what is due at a time, by default now; return the mails that arrived meanwhile."""
        before = len(self.box.raw)
        with self.app.app_context(), Session(db.engine) as session:
            work = BackgroundWork(db.engine, self.settings)
            with patch.object(background_work, "now", lambda: at or now()):
                work.once(session)
        return self.box.mails[before:]

    def change(self, **values: Any) -> None:
        """Set columns of all subscriptions."""
        with self.app.app_context(), Session(db.engine) as session:
            begin_write(session)
            for row in session.scalars(select(Subscription)):
                for name, value in values.items():
                    setattr(row, name, value)
            session.commit()

    def rows(self) -> list[Subscription]:
        """All subscriptions, detached."""
        with self.app.app_context(), Session(db.engine) as session:
            rows = list(session.scalars(select(Subscription).order_by(Subscription.id)))
            session.expunge_all()
            return rows


@contextmanager
def postman(app: Flask, **more: str) -> Iterator[Postman]:
    """Let a service send mail to a server of the test; its daily mails leave half a day from now."""
    with mail_server() as box:
        before = services_of(app).settings
        variables = environment(
            before.data_dir,
            COMMENTSVC_BASE_URL=before.base_url,
            COMMENTSVC_SMTP_URL=box.url,
            COMMENTSVC_DATABASE_URL=before.database_url.replace("+psycopg", ""),
            COMMENTSVC_DIGEST_HOUR=str((now().hour + 12) % 24),
            **more,
        )
        services_of(app).settings = Settings.from_env(variables)
        yield Postman(app, box, services_of(app).settings)
        services_of(app).settings = before


def part(mail: EmailMessage, kind: str = "plain") -> str:
    """The words of a mail, as text or as HTML."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def links(mail: EmailMessage) -> list[str]:
    """Every address of ours in a mail: its headers, its text and its HTML."""
    found = LINK.findall("\n".join([part(mail), part(mail, "html"), str(mail["List-Unsubscribe"] or "")]))
    return sorted(set(found))


def link(mail: EmailMessage, kind: str) -> str:
    """The path of a mail's link to a kind of page, such as `confirm`."""
    (found,) = {one for one in links(mail) if f"/mail/{kind}/" in one}
    return urlsplit(found).path


def press(app: Flask, path: str, **fields: Any) -> Any:
    """Press a button of one of our pages."""
    return app.test_client().post(path, base_url=BASE_URL, data=fields, headers={"Origin": BASE_URL})


def subscribe(app: Flask, post: Postman, address: str, what: str = "thread", **fields: Any) -> int:
    """Comment with the box ticked and confirm; return the comment's id."""
    number = GuestClient(app).posted(
        fields.pop("text", f"I am {address}"),
        email=address,
        name=address.partition("@")[0].title(),
        notify="1",
        notify_what=what,
        **fields,
    )
    (mail,) = [one for one in post.work() if one["To"] == address]
    assert press(app, link(mail, "confirm"), shown="999999").status_code == 200
    return number
