"""POST /webmention, as other websites send it."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.models import Site, Webmention
from tests.conftest import BLOG

TARGET = f"{BLOG}/post"


def test_a_webmention_is_taken_without_our_origin_and_waits(
    client: FlaskClient, session: Session, site: Site
) -> None:
    session.commit()
    form = {"source": "https://other.example/page", "target": TARGET, "vouch": "https://x.example/"}
    assert client.post("/webmention", data=form).status_code == 400  # off until the owner turns it on
    begin_write(session)
    site.webmention = True
    session.commit()
    for headers in ({}, {"Origin": "https://other.example"}):
        answer = client.post("/webmention", data=form, headers=headers)
        assert answer.status_code == 202
        assert answer.headers["Cache-Control"].startswith("no-store")
    (mention,) = session.scalars(select(Webmention))
    assert (mention.source, mention.target) == (form["source"], TARGET)
    for wrong in ({"source": TARGET, "target": TARGET}, {"source": form["source"]}, {}):
        assert client.post("/webmention", data=wrong).status_code == 400
    assert client.get("/webmention").status_code == 405
