"""What templates write: everything escaped, once, and the same whether it is remembered or not."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from html import unescape

import pytest
from flask import Flask
from jinja2 import Environment, Template, Undefined
from jinja2.compiler import CodeGenerator
from markupsafe import Markup, escape

from commentsvc.models import Order
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


HOSTILE = "</bdi><script>'\"&"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("answering", (HOSTILE,)),
        ("author", (HOSTILE, None, None)),
        ("author", (HOSTILE, f"/{HOSTILE}", f"https://{HOSTILE}")),
        ("e", (HOSTILE,)),
        ("e", (5,)),
        ("indent_of", (1,)),
        ("indent_of", (400,)),
        ("when", (datetime(2026, 11, 3, tzinfo=UTC),)),
    ],
)
def test_what_filters_make_of_a_comment_needs_no_escaping(
    app: Flask, name: str, given: tuple[object, ...]
) -> None:
    result = app.jinja_env.filters[name](*given)
    assert isinstance(result, str)
    assert escape(result) == result
    assert HOSTILE not in result


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (datetime(2026, 11, 3, 3, 4, 5, 999_999, UTC), ("3 November 2026", "03:04", "2026-11-03T03:04:05Z")),
        (
            datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
            ("31 December 2025", "23:30", "2025-12-31T23:30:00Z"),
        ),
        (datetime(1, 1, 1, tzinfo=UTC), ("1 January 1", "00:00", "0001-01-01T00:00:00Z")),
    ],
)
def test_times_are_said_in_utc(at: datetime, said: tuple[str, str, str]) -> None:
    day, minute, exactly = said
    assert (templating.date(at), templating.exact(at)) == (day, f"{day}, {minute} UTC")
    assert templating.when(at) == f'<time datetime="{exactly}" title="{day}, {minute} UTC">{day}</time>'


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
    assert [one["data-name"] for one in links] == [name, name, "Ben"]
    assert [one["aria-label"] for one in links] == [f"Reply to {name}", f"Reply to {name}", "Reply to Ben"]
    assert [unescape(one) for one in re.findall("<bdi.*?>(.*?)</bdi>", html)] == [name, name, "Ben", name]
    assert [one["href"] for one in Elements(html).all("a", class_="name")] == [website]


def test_what_is_safe_is_not_remembered_in_the_place_of_what_is_not(app: Flask) -> None:
    author = app.jinja_env.filters["author"]
    assert "<b>Anna" in author(Markup("<b>Anna"), None, None)
    assert "<b>Anna" not in author("<b>Anna", None, None)
