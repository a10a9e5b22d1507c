"""A site with something of every kind, and a program with a token for everything on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc.integrations.rate_limits import Limiter
from commentsvc.web.context import services_of
from tests.support.api_client import ApiSite, Program, make_site, program
from tests.support.outside_session import outside_session

LIMITS = ("api calls", "api refusals", "api reading")


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app) as session:
        yield session


@pytest.fixture(autouse=True)
def unlimited(app: Flask) -> None:
    """These tests call more often in a minute than a program may; test_calls.py looks at the limits."""
    for name in LIMITS:
        services_of(app).limiters[name] = Limiter("100000/minute", name=name)


@pytest.fixture
def blog(session: Session) -> ApiSite:
    return make_site(session)


@pytest.fixture
def robot(app: Flask, session: Session, blog: ApiSite) -> Program:
    return program(app, session, blog)


@pytest.fixture
def anybody(app: Flask) -> Program:
    return Program(app)
