"""A process that is killed between a comment's commit and its webhook: the webhook comes, with the same id."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.endpoints import endpoints
from commentsvc.domain.endpoints.endpoint_fields import EndpointDraft
from commentsvc.models import EndpointKind, now
from tests.conftest import BLOG, SECRET, environment
from tests.support import processes
from tests.support.guest_client import add_site
from tests.support.receiver import Receiver, receiver
from tests.support.service_processes import Guest, service

WORK = ("-m", "commentsvc", "work")


def add_endpoint(app: Flask, site_id: int, came: Receiver) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        endpoints.add(
            session,
            SECRET,
            [came.origin],
            site_id=site_id,
            kind=EndpointKind.WEBHOOK,
            draft=EndpointDraft("Hook", url=f"{came.origin}/hook", events=["comment.published"]),
            person_id=accounts.operator(session).id,
            at=now(),
        )
        session.commit()


def end_lease(settings: Settings) -> None:
    """Let the time pass after which another process takes what the killed one had taken."""
    with closing(sqlite3.connect(settings.data_dir / "comments.sqlite")) as database, database:
        assert database.execute("UPDATE delivery SET next_attempt_at = '2026-06-01'").rowcount == 1


def test_a_webhook_survives_kill_9_before_and_while_it_is_sent(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    with receiver() as came:
        site_id = add_site(app)
        add_endpoint(app, site_id, came)
        more = {"COMMENTSVC_PRIVATE_ENDPOINTS": came.origin}
        came.may_answer.clear()
        with service(settings, tmp_path / "service", environ=more) as running:
            guest = Guest(running.port, "ada", site_id=site_id)
            posted = guest.post(f"{BLOG}/article", "Hello", key="k" * 40)
            guest.connection.close()
            assert posted.status == 200
            running.kill()  # after the commit, before or while its webhook is sent
        before = len(came.requests)
        variables = environment(tmp_path / "data", COMMENTSVC_DATABASE_URL=settings.database_url, **more)
        with processes.running(tmp_path / "first", variables, *WORK) as process:
            if before:
                end_lease(settings)
            processes.until(lambda: len(came.requests) > before, "the webhook")
            process.child.kill()  # the receiver has it, and its answer has not come
            process.child.wait(processes.PATIENCE)
        came.may_answer.set()
        end_lease(settings)
        with processes.running(tmp_path / "second", variables, *WORK, "--once") as process:
            assert process.child.wait(processes.PATIENCE) == 0, process.said()
        assert len(came.requests) == before + 2
        assert len({request.headers["webhook-id"] for request in came.requests}) == 1
        assert {request.json["data"]["comment"]["id"] for request in came.requests} == {str(posted.id)}
        with processes.running(tmp_path / "third", variables, *WORK, "--once") as process:
            assert process.child.wait(processes.PATIENCE) == 0, process.said()
        assert len(came.requests) == before + 2
