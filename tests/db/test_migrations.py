"""The migrations make the tables that the models describe, on both engines, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import Base, begin_write, db
from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import accounts, login_sessions, token_hashes
from commentsvc.domain.sites import sites
from commentsvc.integrations import full_text, migrations, signing
from commentsvc.models import Ban, BanKind, Comment, Site, now
from commentsvc.web import access
from tests.conftest import SECRET, dispose, environment
from tests.support.comment_builders import article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def bare(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application over a database in which nothing is."""
    more = {}
    if engine_name == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS bare"))
            connection.execute(text("CREATE DATABASE bare"))
        admin.dispose()
        more["COMMENTSVC_DATABASE_URL"] = server.replace("/postgres?", "/bare?", 1)
        assert more["COMMENTSVC_DATABASE_URL"] != server
    app = create_app(Settings.from_env(environment(tmp_path, **more)))
    yield app
    dispose(app)


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": migrations.is_modelled}
        )
        return list(compare_metadata(context, Base.metadata))


def partial_indexes(engine: Engine) -> dict[str, str]:
    """The conditions of the indexes that have one; no comparison of Alembic's looks at them."""
    if engine.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'"
    else:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '% WHERE %'"
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {name: sql.partition(" WHERE ")[2] for name, sql in rows}


def test_an_empty_database_becomes_what_the_models_say(bare: Flask) -> None:
    with bare.app_context():
        assert not migrations.is_up_to_date(db.engine)
        migrations.bring_up_to_date()
        assert migrations.is_up_to_date(db.engine)
        assert differences(db.engine) == []


def test_the_conditions_of_indexes_are_those_of_the_models(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        migrated = partial_indexes(db.engine)
        assert {"ix_comment_roots", "ix_comment_replies", "ix_comment_mentions"} <= set(migrated)
        downgrade(directory=str(migrations.directory()), revision="base")
        Base.metadata.create_all(db.engine)
        assert partial_indexes(db.engine) == migrated


def test_running_them_again_changes_nothing(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        migrations.bring_up_to_date()
        assert differences(db.engine) == []


def test_each_step_can_be_taken_back_and_done_again(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        while set(inspect(db.engine).get_table_names()) - {"alembic_version"}:
            downgrade(directory=str(migrations.directory()), revision="-1")
            assert not migrations.is_up_to_date(db.engine)
        migrations.bring_up_to_date()
        assert differences(db.engine) == []


def test_comments_survive_the_last_step_and_its_undoing(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        with Session(db.engine) as session:
            begin_write(session)
            owner = accounts.operator(session)
            article(session, sites.add(session, "Blog", ["https://blog.example"], owner_id=owner.id)).write()
            session.commit()
        downgrade(directory=str(migrations.directory()), revision="-1")
        upgrade(directory=str(migrations.directory()))
        with Session(db.engine) as session:
            assert session.scalars(select(Site.name)).all() == ["Blog"]
            assert session.scalar(text("SELECT source FROM comment")) == "Comment number 1"
            assert session.scalar(text("SELECT count(*) FROM decision")) == 1


def test_domains_banned_before_are_found_as_dns_has_them(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        with Session(db.engine) as session:
            begin_write(session)
            site = sites.add(
                session, "Blog", ["https://blog.example"], owner_id=accounts.operator(session).id
            )
            values = ["b\u00fccher.example", "caf\u00e9.example", "xn--caf-dma.example", "spam.example"]
            for value in values:
                session.add(Ban(site_id=site.id, kind=BanKind.DOMAIN, value=value, label=value, reason="x"))
            session.add(
                Ban(site_id=site.id, kind=BanKind.EMAIL, value="\u00e9@a.example", label="x", reason="x")
            )
            session.commit()
        downgrade(directory=str(migrations.directory()), revision="0009")
        upgrade(directory=str(migrations.directory()))
        with Session(db.engine) as session:
            result = session.scalars(select(Ban.value).order_by(Ban.id)).all()
            assert result == ["xn--bcher-kva.example", *values[1:], "\u00e9@a.example"]


def test_guests_are_one_person_after_it_in_whatever_case_they_were_stored(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        stored = ["Ada@Mail.Example", "ada@mail.example", "\u00c9ve@xn--bcher-kva.example", "no Address@"]
        with Session(db.engine) as session:
            begin_write(session)
            owner = accounts.operator(session)
            pen = article(session, sites.add(session, "Blog", ["https://blog.example"], owner_id=owner.id))
            written = [pen.write().id for _ in stored]
            session.commit()
        downgrade(directory=str(migrations.directory()), revision="0014")
        with db.engine.begin() as connection:
            for number, address in zip(written, stored, strict=True):
                values = {"id": number, "address": address}
                connection.execute(text("UPDATE comment SET guest_email = :address WHERE id = :id"), values)
        upgrade(directory=str(migrations.directory()))
        with Session(db.engine) as session:
            result = session.scalars(select(Comment.guest_email).order_by(Comment.id)).all()
            assert result == ["ada@mail.example"] * 2 + ["\u00e9ve@b\u00fccher.example", "no Address@"]
            assert session.scalar(select(Comment.search_text).limit(1)) is None
            wanted = full_text.phrases("ada@mail.example")
            query = full_text.newest(session, "comment", wanted, below=None, limit=9)
            assert sorted(session.scalars(query)) == written[:2]


EARLIER = "2026-03-05 00:00:00+00:00"
KEY = "k" * 32


@pytest.mark.parametrize("secret", [SECRET, "s" * 64, "a long secret key of " + "0123456789" * 6])
def test_what_was_hashed_with_the_secret_key_goes_on_being_known(bare: Flask, secret: str) -> None:
    bare.config["SECRET_KEY"] = secret
    with bare.app_context():
        token_hashes.hash_with(db.engine, secret)
        migrations.bring_up_to_date()
        site_id, owner_id = _add_site()
        downgrade(directory=str(migrations.directory()), revision="0010")
        _put_in("ban", site_id=site_id, kind="author", value=signing.keyed_hash(secret, "author", KEY))
        token = {"commenter_id": owner_id, "purpose": "admin", "expires_at": "2999-01-01 00:00:00+00:00"}
        _put_in("login_session", token_hash=signing.challenge_of("session"), **token)
        _put_in("ticket", token_hash=signing.challenge_of("link"), **token)
        upgrade(directory=str(migrations.directory()))
        with bare.test_request_context("/", environ_base={"REMOTE_ADDR": "203.0.113.5"}):
            assert access.author_key_hash(KEY) == signing.keyed_hash(secret, "author", KEY)
            earlier = signing.keyed_hash(secret, "network 2026-03", "203.0.113.0/24")
            assert access.network_hash("2026-03") == earlier
        with Session(db.engine) as session:
            assert login_sessions.find(session, "session", purpose=login_sessions.ADMIN, at=now()) is not None
            begin_write(session)
            assert accounts.redeem_link(session, "link", at=now())


def test_a_database_without_hashes_gets_a_key_of_its_own(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        assert hash_keys.load(db.engine) != SECRET.encode()


def test_bans_that_never_held_or_lapsed_hold(bare: Flask) -> None:
    month, gone = "a" * 64, "b" * 64
    with bare.app_context():
        migrations.bring_up_to_date()
        site_id, _ = _add_site()
        with Session(db.engine) as session:
            begin_write(session)
            pen = article(session, session.get_one(Site, site_id))
            comment = pen.write()
            comment.network_hash, comment.created_at = month, datetime(2026, 2, 28, 23, tzinfo=UTC)
            session.commit()
        downgrade(directory=str(migrations.directory()), revision="0010")
        written = [
            "::ffff:c000:201/128",
            "::ffff:c633:6400/120",
            "fe80::1%eth0/128",
            "2001:db8::/32",
            month,
            gone,
        ]
        for value in (*written, "198.51.100.0/24"):
            until = "2026-04-01 00:00:00+00:00" if value == "198.51.100.0/24" else None
            _put_in("ban", site_id=site_id, kind="network", value=value, until=until)
        _put_in("ban", site_id=site_id, kind="email", value="eve@b\u00fccher.example")
        upgrade(directory=str(migrations.directory()))
        with Session(db.engine) as session:
            results = {ban.value: ban for ban in session.scalars(select(Ban))}
        assert set(results) == {
            "192.0.2.1/32", "198.51.100.0/24", "fe80::1/128", "2001:db8::/32", month, gone, "eve@xn--bcher-kva.example",
        }  # fmt: skip
        assert results["198.51.100.0/24"].until is None, "the longer of the two that became one"
        assert (results[month].month, results[gone].month) == ("2026-02", "2026-03")
        assert results["2001:db8::/32"].month is None


def _add_site() -> tuple[int, int]:
    with Session(db.engine) as session:
        begin_write(session)
        owner = accounts.operator(session)
        site = sites.add(session, "Blog", ["https://blog.example"], owner_id=owner.id)
        session.commit()
        return site.id, owner.id


def _put_in(table: str, **values: object) -> None:
    """Put a row in as the release before does."""
    values |= {"created_at": EARLIER} | ({"label": "x", "reason": "x"} if table == "ban" else {})
    names = ", ".join(values)
    query = text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})")
    with db.engine.begin() as connection:
        connection.execute(query, values)


def test_a_title_that_was_there_before_is_a_browsers_word(bare: Flask) -> None:
    with bare.app_context():
        migrations.bring_up_to_date()
        with Session(db.engine) as session:
            begin_write(session)
            owner = accounts.operator(session)
            site = sites.add(session, "Blog", ["https://blog.example"], owner_id=owner.id)
            article(session, site).write(title="Loading")
            article(session, site, "/untitled").write()
            session.commit()
        downgrade(directory=str(migrations.directory()), revision="0010")
        upgrade(directory=str(migrations.directory()))
        with Session(db.engine) as session:
            result = session.execute(
                text("SELECT title, title_source, title_tries FROM thread ORDER BY id")
            ).all()
            assert result == [("Loading", "browser", 0), (None, None, 0)]
