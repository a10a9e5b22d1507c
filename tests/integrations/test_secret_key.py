"""A new secret key ends what it signed, and nobody who was banned, known or counted becomes somebody else by it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.cli.commands import main
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import accounts, invitations, login_sessions
from commentsvc.domain.admin import ban_list
from commentsvc.errors import LinkSpentError
from commentsvc.integrations import signing
from commentsvc.models import BanKind, Comment, Commenter, Policy, Report, Role, Site, Status, now
from commentsvc.models.keys import HASH_KEY
from tests.conftest import BASE_URL, SECRET, dispose, environment
from tests.support.browser_client import BrowserClient, link_for
from tests.support.guest_client import JSON, GuestClient, add_site

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
NEW = "another-secret-key-of-forty-characters-xyz"
KEY = "k" * 32


@pytest.fixture
def with_secret(settings: Settings, app: Flask) -> Iterator[Callable[[str], Flask]]:
    """Make the service anew over the same database, with another secret key."""
    made: list[Flask] = []

    def make(secret: str) -> Flask:
        variables = environment(settings.data_dir, COMMENTSVC_DATABASE_URL=settings.database_url)
        made.append(create_app(Settings.from_env(variables | {"COMMENTSVC_SECRET_KEY": secret})))
        return made[-1]

    yield make
    for one in made:
        dispose(one)


def ban_all(app: Flask, comment_id: int, kind: BanKind) -> None:
    """Ban whoever wrote a comment by one of what it tells."""
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        comment = session.get_one(Comment, comment_id)
        chosen = [target for target in ban_list.possible_bans(comment) if target.kind is kind]
        assert chosen
        owner = accounts.operator(session).id
        ban_list.add(session, comment.site_id, chosen, reason="x", until=None, moderator_id=owner, at=now())
        session.commit()


def from_network(app: Flask, address: str) -> GuestClient:
    reader = GuestClient(app)
    reader.client.environ_base["REMOTE_ADDR"] = address
    return reader


def report(app: Flask, comment_id: int, address: str = "203.0.113.5", key: str = "") -> None:
    reader = from_network(app, address)
    answer = reader.client.post(
        f"/embed/comments/{comment_id}/report",
        base_url=BASE_URL,
        data={"token": reader.token(), "reason": "spam", "author_key": key, **reader.asked},
        headers={"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin", **JSON},
    )
    assert answer.status_code == 200, answer.text


@ENGINES
@pytest.mark.parametrize("kind", [BanKind.AUTHOR, BanKind.NETWORK])
def test_a_ban_holds(app: Flask, with_secret: Callable[[str], Flask], kind: BanKind) -> None:
    add_site(app)
    number = from_network(app, "203.0.113.5").posted("Buy this", author_key=KEY)
    ban_all(app, number, kind)
    for service in (app, with_secret(NEW)):
        address = "203.0.113.9" if kind is BanKind.NETWORK else "198.51.100.1"
        key = KEY if kind is BanKind.AUTHOR else "m" * 32
        assert from_network(service, address).post("Again", author_key=key).status_code == 403
        assert from_network(service, "192.0.2.1").post(f"Hello {id(service)}").status_code == 200


@ENGINES
def test_a_known_browser_stays_known(app: Flask, with_secret: Callable[[str], Flask]) -> None:
    add_site(app, policy=Policy.HOLD_FIRST)
    number = GuestClient(app).posted("Hello", author_key=KEY)
    assert [one["id"] for one in GuestClient(app).own(KEY)["held"]] == [number]
    service = with_secret(NEW)
    assert [one["id"] for one in GuestClient(service).own(KEY)["held"]] == [number]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Comment, number).status = Status.APPROVED
        session.commit()
    assert (GuestClient(service).post("Me again", author_key=KEY).json or {})["held"] is False


@ENGINES
@pytest.mark.parametrize("key", ["", KEY])
def test_a_report_counts_once(app: Flask, with_secret: Callable[[str], Flask], key: str) -> None:
    add_site(app)
    number = GuestClient(app).posted("Hello")
    report(app, number, key=key)
    report(with_secret(NEW), number, key=key)
    with app.app_context(), db.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Report)) == 1


@ENGINES
def test_forms_sessions_and_links_are_gone(app: Flask, with_secret: Callable[[str], Flask]) -> None:
    site_id = add_site(app)
    form = GuestClient(app).token()
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        ada = Commenter(name="Ada")
        session.add(ada)
        session.flush()
        bearer = login_sessions.open_for(
            session, commenter_id=ada.id, identity_id=None, purpose=login_sessions.READER, site_id=site_id,
            browser="", at=now(),
        )  # fmt: skip
        invitation = invitations.invite(session, session.get_one(Site, site_id), Role.MODERATOR, at=now())
        session.commit()
        owner = accounts.operator(session)
        session.commit()
        link = link_for(session, owner)
        visitor = BrowserClient(app)
        visitor.sign_in(session, owner)
    cookies = visitor.client._cookies
    assert visitor.get("/admin").status_code == 200

    def member(service: Flask) -> object:
        headers = {"Authorization": f"Bearer {bearer}"}
        return (GuestClient(service).get("/embed/own", headers=headers).json or {}).get("member")

    assert member(app)
    service = with_secret(NEW)
    later = BrowserClient(service)
    later.client._cookies = cookies
    assert later.get("/admin").status_code == 401
    assert member(service) is None
    assert GuestClient(service).post("Hello", token=form).status_code == 422
    assert later.post(f"/admin/sign-in/{link}").status_code == 410
    with service.app_context(), Session(db.engine) as session, pytest.raises(LinkSpentError):
        invitations.find(session, invitation, at=now())
    assert member(app), "the key that is back opens them again"


def test_no_stored_hash_opens_anything_without_the_secret_key(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        link = accounts.issue_link(session, accounts.operator(session), at=now())
        stored = session.scalar(text("SELECT token_hash FROM ticket"))
        assert stored != signing.challenge_of(link)
        assert stored == signing.keyed_hash(SECRET, "token", signing.challenge_of(link))


@ENGINES
def test_processes_that_start_at_once_have_one_key(app: Flask) -> None:
    with app.app_context():
        engine = db.engine
        with engine.begin() as connection:
            connection.execute(HASH_KEY.delete())
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: hash_keys.load(engine), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == hash_keys.SIZE


def test_a_new_database_has_a_key_that_nobody_set(app: Flask) -> None:
    with app.app_context():
        assert hash_keys.load(db.engine) not in {SECRET.encode(), b""}


def test_the_key_is_in_a_backup_and_in_no_answer_of_a_command(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "comments.sqlite")
    with sqlite3.connect(tmp_path / "comments.sqlite") as source, sqlite3.connect(tmp_path / "copy") as copy:
        source.backup(copy)
    source.close()
    engine = create_engine(f"sqlite:///{tmp_path / 'copy'}")
    with engine.connect() as connection:
        (key,) = connection.scalars(select(HASH_KEY.c.value)).all()
    engine.dispose()
    copy.close()
    done = CliRunner().invoke(main, ["settings"], env=environment(tmp_path))
    assert done.exit_code == 0, done.output
    assert "COMMENTSVC_SECRET_KEY" in done.output
    assert key not in done.output
