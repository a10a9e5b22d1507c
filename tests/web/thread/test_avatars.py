"""People's pictures as browsers get them: from us, long kept, and only while their owner shows them."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import identities, profiles
from commentsvc.domain.authors import Author
from commentsvc.domain.reading import avatars
from commentsvc.errors import OutboundError
from commentsvc.http_client import client as http_client
from commentsvc.http_client.client import HttpResponse
from commentsvc.models import Commenter, Picture, Site, Thread, now
from commentsvc.text import images as shrinking
from commentsvc.web.auth import incoming_avatars
from tests.support.comment_builders import article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def drawn(colour: str = "teal") -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def ada(session: Session) -> Commenter:
    return identities.identity_of_login(
        session, "github", "https://github.com", "1", name="Ada", link=None, at=now()
    ).commenter


@pytest.fixture
def path(session: Session, ada: Commenter) -> str:
    avatars.store(session, ada.id, shrinking.shrink(drawn()), at=now())
    session.commit()
    result = avatars.path(session, ada)
    assert result is not None
    return result


@ENGINES
def test_a_picture_is_served(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert Image.open(BytesIO(answer.data)).format == "WEBP"
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "public, max-age=604800, immutable"
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_another_digest_is_another_picture(client: FlaskClient, path: str) -> None:
    assert client.get(path[:-1] + "0").status_code == 404 or path.endswith("0")
    assert client.get(path + "0").status_code == 404


@pytest.mark.parametrize(
    "wrong", ["/picture/1", "/picture/x/y", "/picture/99999999999999999999/a", "/picture/0/%00"]
)
def test_an_invented_address_is_none(client: FlaskClient, path: str, wrong: str) -> None:
    assert client.get(wrong).status_code == 404


def test_a_hidden_picture_is_gone(
    app: Flask, client: FlaskClient, session: Session, ada: Commenter, path: str
) -> None:
    begin_write(session)
    profiles.show_picture(session, ada.id, shown=False)
    session.commit()
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


class TestTaking:
    @pytest.fixture(autouse=True)
    def _web(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.colour = "teal"
        monkeypatch.setattr(
            http_client, "fetch", lambda url, **_: HttpResponse(url, 200, "image/png", drawn(self.colour))
        )

    def test_a_new_one_changes_the_pages_they_are_on(
        self, app: Flask, session: Session, site: Site, ada: Commenter
    ) -> None:
        article(session, site).write("Mine", by=Author(commenter_id=ada.id))
        session.commit()
        versions = [self.version(session)]
        for self.colour in ("teal", "teal", "navy"):
            incoming_avatars.fetch_avatar(ada.id, "https://pictures.example/1")
            versions.append(self.version(session))
        assert versions[0] < versions[1] == versions[2] < versions[3]

    def version(self, session: Session) -> int:
        session.rollback()
        return session.scalars(select(Thread.version)).one()

    def test_none_is_taken_where_none_is_named(self, app: Flask, session: Session, ada: Commenter) -> None:
        session.commit()
        incoming_avatars.fetch_avatar(ada.id, None)
        assert session.scalar(select(Picture.digest)) is None

    def test_a_login_goes_on_without_one(
        self, app: Flask, session: Session, ada: Commenter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(url: str, **_: object) -> None:
            raise OutboundError("no answer")

        session.commit()
        monkeypatch.setattr(http_client, "fetch", fail)
        incoming_avatars.fetch_avatar(ada.id, "https://pictures.example/1")
        assert session.scalar(select(Picture.digest)) is None
