"""What templates write: everything escaped once, times in UTC, names as they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from html import unescape

import pytest
from flask import Flask
from jinja2 import Environment, Template, Undefined
from jinja2.compiler import CodeGenerator
from markupsafe import escape

from commentsvc.models import Order
from commentsvc.text import dates
from commentsvc.web import templating
from tests.support.guest_client import Elements, GuestClient, add_site

VALUES = (
    "<b>&\"'",
    "",
    "plain",
    5,
    0,
    -1,
    1.5,
    True,
    None,
    Undefined(name="x"),
    Order.OLDEST,
    escape("<"),
    ["<"],
)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_templates_write_everything_escaped_as_always(app: Flask, value: object) -> None:
    source = "{{ x }}|<a href='{{ x }}'>{% macro y() %}{{ x }}{% endmacro %}{{ y() }}|{{ x ~ 1 }}|{{ [x]|join('<') }}"
    usual = Environment(autoescape=True, undefined=app.jinja_env.undefined).from_string(source)
    assert app.jinja_env.from_string(source).render(x=value) == usual.render(x=value)
    assert app.jinja_env.code_generator_class is CodeGenerator
    assert app.jinja_env.template_class is Template
    assert app.jinja_env.finalize is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            datetime(2026, 11, 3, 3, 4, 5, 999_999, UTC),
            ("3 November 2026", "03:04", "2026-11-03T03:04:05+00:00"),
        ),
        (
            datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            ("31 December 2025", "23:30", "2025-12-31T23:30:00+00:00"),
        ),
        (datetime(1, 1, 1, tzinfo=UTC), ("1 January 1", "00:00", "0001-01-01T00:00:00+00:00")),
    ],
)
def test_times_are_written_in_utc(at: datetime, expected: tuple[str, str, str]) -> None:
    day, minute, timestamp = expected
    assert (dates.date(at), dates.exact(at)) == (day, f"{day}, {minute} UTC")
    assert templating.time(at) == f'<time datetime="{timestamp}" title="{day}, {minute} UTC">{day}</time>'


NAMES = [
    "Anna",
    "<b>Anna</b>",
    "&lt;Anna&gt;",
    "Anna &amp; Ben",
    '"Anna"',
    "'Anna'",
    "`Anna` onclick=x",
    "</bdi>",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_what_it_was_in_every_place_of_a_page(app: Flask, name: str) -> None:
    add_site(app)
    reader = GuestClient(app)
    website = "https://anna.example/?a=1&lt=2&amp=3"
    first = reader.posted("First", name=name, website=website)
    second = reader.posted("Second", name=name, website="", parent=str(first))
    reader.posted("Third", name="Ben", website="", parent=str(second))
    html = reader.get().text.partition('id="comments"')[2]
    links = Elements(html).all("a", class_="reply-link")
    assert [one["aria-label"] for one in links] == [f"Reply to {name}", f"Reply to {name}", "Reply to Ben"]
    assert [unescape(one) for one in re.findall("<bdi.*?>(.*?)</bdi>", html)] == [name, name, "Ben", name]
    assert [one["href"] for one in Elements(html).all("a", class_="name")] == [website]
