"""While the service moves, everything can be read, and whatever would be stored is answered by 503 and a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from commentsvc.db.session import db
from commentsvc.domain.service_move import source_stop
from commentsvc.errors import ServiceMovingError
from commentsvc.models import ApiToken, Likes
from commentsvc.web.auth import login, login_outcomes
from commentsvc.web.auth.login_outcomes import Start
from commentsvc.web.auth.login_words import HEADINGS, LoginOutcome, Purpose
from tests.conftest import BASE_URL
from tests.support.api_client import Program, make_site, program
from tests.support.guest_client import DETAILS, JSON, GuestClient, add_site
from tests.support.outside_session import outside_session

OURS = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin"}


@contextmanager
def moving(app: Flask) -> Iterator[None]:
    with app.app_context():
        engine = db.engine
    with source_stop.held(engine, "postgresql:///other"):
        yield


def require_refused(response: TestResponse, typed: str = "") -> None:
    assert response.status_code == 503, response.text
    assert response.headers["Retry-After"] == "120"
    assert "back in a few minutes" in response.text
    assert typed in response.text


def test_forms_keep_what_was_typed(app: Flask) -> None:
    add_site(app, likes=Likes.LIKES)
    reader = GuestClient(app)
    answer = reader.post("First").json or {}
    receipt = str(answer["receipt"]).removeprefix(BASE_URL)
    token = reader.token()
    with moving(app):
        for headers in (OURS, OURS | JSON):
            as_form = headers is OURS

            def send(path: str, headers: dict[str, str] = headers, **data: object) -> TestResponse:
                fields = {**reader.asked, **DETAILS, "token": token, **data}
                return reader.client.post(path, base_url=BASE_URL, data=fields, headers=headers)

            require_refused(send("/embed/comments", text="typed anew"), "typed anew" if as_form else "")
            require_refused(send(f"/thread/comments/{answer['id']}/vote", vote="1", author_key="k" * 43))
            require_refused(send(f"{receipt}/edit", text="typed again"), "typed again" if as_form else "")
        assert reader.client.get(receipt, base_url=BASE_URL).status_code == 200


def test_programs_read_and_are_told_when_to_write(app: Flask) -> None:
    with outside_session(app) as session:
        blog = make_site(session)
        robot = program(app, session, blog)
    with moving(app):
        for path in ("/sites", f"/sites/{blog.id}/comments", f"/sites/{blog.id}/export?format=json"):
            assert robot.call("GET", path).status_code == 200
        body = {"comments": [str(blog.held)], "status": "approved"}
        refused = robot.call("POST", f"/sites/{blog.id}/decisions", body)
        require_refused(refused)
        assert refused.mimetype == "application/problem+json"
    require_noted(app, robot)


def require_noted(app: Flask, robot: Program) -> None:
    """A use that could not be noted during the move is noted by the next one."""
    with outside_session(app) as session:
        assert session.query(ApiToken).one().last_used_on is None
    robot.get("/sites")
    with outside_session(app) as session:
        assert session.query(ApiToken).one().last_used_on is not None


@pytest.mark.parametrize("answered", [False, True])
def test_a_login_can_be_tried_again(app: Flask, answered: bool) -> None:
    with app.test_request_context(base_url=BASE_URL), moving(app):
        login._tell_frame(ServiceMovingError(), state="a-state")  # must not fail for the same reason
        page = login_outcomes.failed(ServiceMovingError(), Start(Purpose.FRAME), answered=answered)
        text = page.get_data(as_text=True)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "120")
    assert HEADINGS[LoginOutcome.BUSY] in text
