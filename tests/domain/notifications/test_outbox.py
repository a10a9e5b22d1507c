"""Outgoing mail: written with what it tells of, sent once by many at work, tried again, given up, forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from commentsvc.cli.background_work import BackgroundWork, sending
from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db, engine_options
from commentsvc.domain.admin import import_jobs
from commentsvc.domain.maintenance import article_titles, retention
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.domain.notifications import outbox
from commentsvc.domain.notifications.outbox import AGAIN_AFTER, KEPT, TAKEN_FOR, OutgoingMail
from commentsvc.domain.surge import alerts, episodes
from commentsvc.errors import MailError
from commentsvc.models import Delivery, DeliveryState, Pressure, Site, now
from commentsvc.web.context import services_of
from tests.conftest import environment
from tests.support import processes
from tests.support.comment_builders import NOON
from tests.support.guest_client import GuestClient, add_site
from tests.support.mail_server import Mailbox, mail_server

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
SECOND = timedelta(seconds=1)
FOR_EVER = RetentionPeriods(networks=0, emails=0, spam=0, trash=0)


def put(session: Session, many: int = 1) -> None:
    begin_write(session)
    for number in range(many):
        outbox.enqueue(
            session,
            site_id=None,
            recipient=f"{number}@mail.example",
            subject="Hello",
            text="Good day.\n",
            at=NOON,
        )
    session.commit()


def rows(session: Session) -> list[Delivery]:
    session.rollback()
    return list(
        session.scalars(select(Delivery).order_by(Delivery.id).execution_options(populate_existing=True))
    )


def refuse(lasting: bool = False) -> Callable[[OutgoingMail], None]:
    def send(letter: OutgoingMail) -> None:
        raise MailError(f"The mail server said 450 {letter.recipient} later", lasting=lasting)

    return send


@ENGINES
class TestDelivery:
    def test_what_is_sent_leaves_no_address(self, session: Session) -> None:
        put(session)
        sent: list[OutgoingMail] = []
        assert outbox.deliver(session, sent.append, at=NOON)
        assert not outbox.deliver(session, sent.append, at=NOON + timedelta(days=9))
        assert [(one.recipient, one.subject, one.attempt) for one in sent] == [("0@mail.example", "Hello", 1)]
        (row,) = rows(session)
        assert row.state is DeliveryState.SENT
        assert (row.recipient, row.subject, row.text, row.next_attempt_at) == (None, None, None, None)

    def test_it_is_tried_again_later_and_later_and_then_given_up(self, session: Session) -> None:
        put(session)
        at = NOON
        for pause in AGAIN_AFTER:
            assert outbox.deliver(session, refuse(), at=at)
            assert not outbox.deliver(session, refuse(), at=at + pause - SECOND)
            assert rows(session)[0].recipient == "0@mail.example"
            at += pause
        assert outbox.deliver(session, refuse(), at=at)
        (row,) = rows(session)
        assert (row.state, row.attempts, row.recipient) == (DeliveryState.FAILED, len(AGAIN_AFTER) + 1, None)
        assert row.last_error == "The mail server said 450 … later"
        assert outbox.waiting(session) == 0

    def test_what_can_never_arrive_is_not_tried_again(self, session: Session) -> None:
        put(session)
        outbox.deliver(session, refuse(lasting=True), at=NOON)
        assert [row.state for row in rows(session)] == [DeliveryState.FAILED]

    def test_one_that_cannot_even_be_written_stops_no_other_and_is_given_up(
        self, session: Session, caplog: pytest.LogCaptureFixture
    ) -> None:
        put(session, 2)
        sent: list[OutgoingMail] = []

        def send(letter: OutgoingMail) -> None:
            if letter.number == first.id:
                raise UnicodeError(letter.recipient)
            sent.append(letter)

        first, _ = rows(session)
        assert outbox.deliver(session, send, at=NOON)
        assert outbox.deliver(session, send, at=NOON)
        assert len(sent) == 1
        at = NOON
        for pause in AGAIN_AFTER:
            at += pause
            assert outbox.deliver(session, send, at=at)
        assert (rows(session)[0].state, rows(session)[0].last_error) == (DeliveryState.FAILED, "UnicodeError")

    def test_nothing_is_sent_before_its_commit(self, session: Session) -> None:
        begin_write(session)
        outbox.enqueue(session, site_id=None, recipient="a@mail.example", subject="", text="", at=NOON)
        session.rollback()
        assert not outbox.deliver(session, refuse(), at=NOON)

    def test_whoever_stopped_in_between_loses_it_to_the_next(self, session: Session) -> None:
        put(session)

        def stop(_letter: OutgoingMail) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            outbox.deliver(session, stop, at=NOON)
        sent: list[OutgoingMail] = []
        assert not outbox.deliver(session, sent.append, at=NOON + TAKEN_FOR - SECOND)
        assert outbox.deliver(session, sent.append, at=NOON + TAKEN_FOR)
        assert [one.attempt for one in sent] == [2]

    def test_one_that_took_too_long_does_not_undo_what_the_next_one_did(self, session: Session) -> None:
        put(session)

        def slow(letter: OutgoingMail) -> None:
            with Session(session.get_bind()) as other:
                outbox.deliver(other, lambda _: None, at=NOON + TAKEN_FOR)
            raise MailError("too late")

        outbox.deliver(session, slow, at=NOON)
        assert [row.state for row in rows(session)] == [DeliveryState.SENT]

    def test_what_is_over_is_forgotten_after_a_while(self, session: Session) -> None:
        put(session, 2)
        outbox.deliver(session, lambda _: None, at=NOON)
        retention.delete_expired(session, FOR_EVER, at=NOON + KEPT)
        assert len(rows(session)) == 2
        retention.delete_expired(session, FOR_EVER, at=NOON + KEPT + SECOND)
        assert [row.state for row in rows(session)] == [DeliveryState.WAITING]

    def test_two_at_work_send_each_mail_once(self, session: Session, app: Flask, settings: Settings) -> None:
        put(session, 12)
        faults: list[BaseException] = []
        with app.app_context():
            engine = db.engine
        with mail_server() as box:
            variables = environment(settings.data_dir, COMMENTSVC_SMTP_URL=box.url)
            barrier = threading.Barrier(2)

            def work() -> None:
                try:
                    barrier.wait()
                    with Session(engine) as own, sending(Settings.from_env(variables)) as send:
                        while outbox.deliver(own, send, at=NOON):
                            pass
                except BaseException as fault:
                    faults.append(fault)

            workers = [threading.Thread(target=work) for _ in range(2)]
            for one in workers:
                one.start()
            for one in workers:
                one.join()
        assert faults == []
        assert sorted(box.recipients) == sorted(f"{number}@mail.example" for number in range(12))
        assert len({mail["Message-ID"] for mail in box.mails}) == 12


HOSTILE = "Blog =?utf-8?q?=0D=0ABcc:_victim@mail.example?="


@ENGINES
class TestAlarm:
    @pytest.fixture
    def mailing(self, settings: Settings, app: Flask) -> Flask:
        """The service, with a mail server and somebody to tell."""
        more = {
            "COMMENTSVC_SMTP_URL": "smtp://mail.example",
            "COMMENTSVC_ALERT_MAIL": "anna@mail.example, ben@mail.example",
        }
        services_of(app).settings = Settings.from_env(
            environment(
                settings.data_dir,
                COMMENTSVC_DATABASE_URL=settings.database_url.replace("+psycopg", ""),
                **more,
            )
        )
        return app

    def flood(self, app: Flask, many: int = 14) -> None:
        reader = GuestClient(app)
        for number in range(many):
            reader.posted(f"Number {number}", title="A title\r\nBcc: victim@mail.example", work="none")

    def test_each_is_told_once(self, mailing: Flask, session: Session) -> None:
        session.rollback()
        add_site(mailing)
        self.flood(mailing, 24)
        result = rows(session)
        assert [row.recipient for row in result] == ["anna@mail.example", "ben@mail.example"]
        assert result[0].subject == "Comments are pouring in on Blog"
        assert "Since" in (result[0].text or "")
        assert "http://127.0.0.1:8600/admin?site=" in (result[0].text or "")
        assert [row.mailed_at is not None for row in session.scalars(select(Pressure))] == [True]

    def test_names_and_titles_bring_no_header(self, mailing: Flask, session: Session) -> None:
        session.rollback()
        add_site(mailing, name=HOSTILE)
        self.flood(mailing)
        with (
            mail_server() as box,
            sending(Settings.from_env(environment(Path(), COMMENTSVC_SMTP_URL=box.url))) as send,
        ):
            while outbox.deliver(session, send, at=now()):
                pass
        assert len(box.mails) == 2
        for mail in box.mails:
            assert set(mail) <= {
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding",
            }  # fmt: skip
            assert "victim" in mail["Subject"]
        assert set(box.recipients) == {"anna@mail.example", "ben@mail.example"}

    def test_without_a_mail_server_nothing_is_written(self, app: Flask, session: Session) -> None:
        session.rollback()
        add_site(app)
        self.flood(app)
        assert session.scalars(select(Pressure)).all() != []
        assert rows(session) == []

    def test_two_who_notice_at_once_tell_once(self, session: Session, site: Site) -> None:
        row = Pressure(site_id=site.id, step=1, reason="25 came.", began_at=NOON, hot_at=NOON)
        session.add(row)
        session.flush()
        told = [
            alerts.enqueue_alerts(
                session, site, ["anna@mail.example"], base_url="", at=NOON + SECOND * number
            )
            for number in range(3)
        ]
        assert told == [1, 0, 0]
        assert episodes.effective_step(row, NOON) == 1


class TestRunning:
    def variables(self, folder: Path, box: Mailbox, **more: str) -> dict[str, str]:
        return environment(folder, COMMENTSVC_SMTP_URL=box.url, **more)

    def fill(self, folder: Path, many: int) -> None:
        engine = create_engine(f"sqlite:///{folder / 'comments.sqlite'}")
        with engine.begin() as connection:
            for number in range(many):
                connection.execute(
                    text(
                        "INSERT INTO delivery (recipient, subject, text, state, attempts, next_attempt_at, created_at)"
                        " VALUES (:to, 'Hello', 'Good day.', 'waiting', 0, :at, :at)"
                    ),
                    {"to": f"{number}@mail.example", "at": "2026-06-01 12:00:00.000000"},
                )
        engine.dispose()

    def test_the_command_sends_what_is_due(self, tmp_path: Path) -> None:
        with mail_server() as box:
            run = CliRunner()
            assert run.invoke(main, ["upgrade"], env=self.variables(tmp_path, box)).exit_code == 0
            self.fill(tmp_path, 3)
            assert (
                run.invoke(main, ["work", "--once"], env=environment(tmp_path)).output
                == "Tried to send 0; 3 waiting.\n"
            )
            sentence = run.invoke(main, ["work", "--once"], env=self.variables(tmp_path, box))
            assert sentence.output == "Tried to send 3; 0 waiting.\n"
        assert len(box.mails) == 3

    def test_two_processes_of_serve_send_each_mail_once_and_stop_when_told(self, tmp_path: Path) -> None:
        port = processes.free_port()
        arguments = ["-m", "commentsvc", "serve", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
        data = tmp_path / "data"
        with (
            mail_server() as box,
            processes.running(tmp_path / "output", self.variables(data, box), *arguments) as process,
        ):
            processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
            self.fill(data, 10)
            processes.until(lambda: len(box.raw) >= 10, "ten mails")
            process.child.terminate()
            assert process.child.wait(10) == 0
        assert sorted(box.recipients) == sorted(f"{number}@mail.example" for number in range(10))
        assert "Traceback" not in process.said()

    def test_an_error_in_other_work_does_not_end_mail(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **_more: object) -> None:
            raise LookupError

        for module, name in ((episodes, "close_ended"), (import_jobs, "tidy"), (article_titles, "refresh")):
            monkeypatch.setattr(module, name, broken)
        with mail_server() as box:
            variables = self.variables(tmp_path, box)
            assert CliRunner().invoke(main, ["upgrade"], env=variables).exit_code == 0
            self.fill(tmp_path, 3)
            settings = Settings.from_env(variables)
            engine = create_engine(settings.database_url, **engine_options(settings.database_url))
            ended = threading.Event()
            worker = threading.Thread(target=BackgroundWork(engine, settings, ended.is_set).run)
            worker.start()
            processes.until(lambda: len(box.raw) == 3, "three mails")
            ended.set()
            worker.join(processes.PATIENCE)
            assert not worker.is_alive()
            engine.dispose()

    def test_doctor_looks_at_the_mail_server(self, tmp_path: Path) -> None:
        run = CliRunner()
        assert run.invoke(main, ["upgrade"], env=environment(tmp_path)).exit_code == 0
        with mail_server() as box:
            sentence = run.invoke(main, ["doctor"], env=self.variables(tmp_path, box)).output
        assert (
            f"✓ Mail             from comments@127.0.0.1 by localhost:{box.port}: not encrypted" in sentence
        )
        assert box.raw == []
        sentence = run.invoke(main, ["doctor"], env=self.variables(tmp_path, box)).output
        assert "! Mail" in sentence
        assert "refused" in sentence
        sentence = run.invoke(main, ["doctor"], env=environment(tmp_path)).output
        assert "✓ Mail             none is sent" in sentence
        more = environment(tmp_path, COMMENTSVC_ALERT_MAIL="anna@mail.example")
        assert (
            "COMMENTSVC_ALERT_MAIL needs COMMENTSVC_SMTP_URL" in run.invoke(main, ["doctor"], env=more).output
        )

    def test_the_password_is_not_shown(self, tmp_path: Path) -> None:
        more = environment(tmp_path, COMMENTSVC_SMTP_URL="smtp://anna:secret@mail.example:587")
        sentence = CliRunner().invoke(main, ["settings"], env=more).output
        assert "secret@" not in sentence
        assert "smtp://anna:…@mail.example:587" in sentence
