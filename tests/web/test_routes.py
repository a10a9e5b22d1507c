"""The table of routes beside what the service does: no route is added, opened or exempted beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

import commentsvc.web
from commentsvc.config import Settings
from commentsvc.web import routes
from commentsvc.web.context import services_of
from commentsvc.web.routes import Csrf, Row
from tests.conftest import BASE_URL
from tests.support.outside_session import outside_session
from tests.web.test_own_page import ENDING, Insiders

READING = {"GET", "HEAD", "OPTIONS"}
BY_NAME = {row.blueprint.name: row for row in routes.ROWS}
WEB = Path(commentsvc.web.__file__).parent


@pytest.fixture
def insiders(app: Flask) -> Iterator[Insiders]:
    with outside_session(app) as session:
        yield Insiders(app, session)


def row_of(rule: Rule) -> Row:
    """Return the row for a route; KeyError for one that has none."""
    return BY_NAME[rule.endpoint.rpartition(".")[0]]


def reading(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route that reads, and an address of it."""
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            number = {name: 1 for name in rule.arguments if re.search(f"<(int|site):{name}>", rule.rule)}
            values = dict.fromkeys(rule.arguments, "x" * 43) | number | dict(rule.defaults or {})
            yield rule, app.url_map.bind("127.0.0.1").build(rule.endpoint, values, method="GET")


def changing(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every route that changes something, and an address of it."""
    for rule in app.url_map.iter_rules():
        if (rule.methods or set()) - READING:
            number = {name: 1 for name in rule.arguments if re.search(f"<(int|site):{name}>", rule.rule)}
            values = dict.fromkeys(rule.arguments, "x" * 43) | number | dict(rule.defaults or {})
            yield rule, app.url_map.bind("127.0.0.1").build(rule.endpoint, values)


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    served = {rule.endpoint.rpartition(".")[0] for rule in app.url_map.iter_rules()}
    assert served == set(BY_NAME)
    assert len(BY_NAME) == len(routes.ROWS)


def test_every_route_that_differs_is_one(app: Flask) -> None:
    assert set(routes.DIFFERENT) <= {rule.endpoint for rule in app.url_map.iter_rules()}
    assert all(reason.endswith(".") for reason in routes.DIFFERENT.values())


def test_what_only_reads_changes_nothing(app: Flask) -> None:
    reads = {rule.endpoint for rule, _ in changing(app) if row_of(rule).csrf is Csrf.NO_CHANGES}
    assert reads == set()
    changes = {rule.endpoint.rpartition(".")[0] for rule, _ in changing(app)}
    assert changes == {name for name, row in BY_NAME.items() if row.csrf is not Csrf.NO_CHANGES}


def test_a_guard_keeps_out_whoever_is_signed_out(app: Flask) -> None:
    guarded = [(rule, path) for rule, path in reading(app) if row_of(rule).guard]
    assert len(guarded) > 20
    for rule, path in guarded:
        answer = app.test_client().get(path, base_url=BASE_URL)
        expected = {200} if rule.endpoint in routes.DIFFERENT else {401, 303}
        if rule.endpoint == "metrics.metrics":  # these settings have no token for it
            expected = {404}
        assert answer.status_code in expected, rule.endpoint
    for rule, path in changing(app):
        if row_of(rule).guard:
            method = min((rule.methods or set()) - READING)
            answer = app.test_client().open(
                path, method=method, base_url=BASE_URL, headers={"Origin": BASE_URL}
            )
            assert answer.status_code in {400, 401, 303}, rule.endpoint


def test_everybody_may_come_where_no_guard_stands(app: Flask) -> None:
    for rule, path in reading(app):
        if not row_of(rule).guard:
            answer = app.test_client().get(path, base_url=BASE_URL)
            assert answer.status_code != 401, rule.endpoint
            assert answer.location is None or "/account" not in answer.location, rule.endpoint


def test_a_sessions_token_is_asked_for_where_the_table_says_so(app: Flask, insiders: Insiders) -> None:
    """Signed in and from our own page, but without the token."""
    insiders.forget_tokens()
    asked = {rule.endpoint: path for rule, path in changing(app) if row_of(rule).csrf is Csrf.SESSION}
    assert len(asked) > 30
    for endpoint, path in asked.items():
        answer = insiders.post(path, {"Origin": BASE_URL})
        assert answer.status_code == 400, endpoint
        assert "open for too long" in answer.text or "signed in again" in answer.text, endpoint


def test_it_is_asked_for_nowhere_else(app: Flask) -> None:
    for rule, path in changing(app):
        if row_of(rule).csrf is Csrf.SIGNED_FORM and rule.rule not in ENDING:
            answer = app.test_client().post(path, base_url=BASE_URL, headers={"Origin": BASE_URL})
            assert "go back, reload the page" not in answer.text, rule.endpoint


def test_every_limit_is_counted_and_every_count_limited(app: Flask, settings: Settings) -> None:
    source = "".join(path.read_text() for path in WEB.rglob("*.py"))
    counted = set(re.findall(r'\blimiter\("([^"]+)"\)', source))
    assert counted == set(services_of(app).limiters)
    assert set(routes.limits(settings)) == counted | set(routes.POST_LIMITS)
    for name in routes.POST_LIMITS:
        assert hasattr(services_of(app).post_limits, name)
