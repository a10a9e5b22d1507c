"""Searching the queue: what is found, what is not, and that nothing typed means anything to the database."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import queue, queue_query
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.fields import Guest
from commentsvc.integrations import full_text
from commentsvc.models import Comment, Commenter, Status, Thread
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.attacks import ATTACKS

queue_of_site = open_queue
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def found(it: AdminQueue, typed: str, tab: Tab = Tab.HELD) -> list[int]:
    it.session.rollback()
    page = queue.page(it.session, it.site_id, tab, Filters(q=typed))
    return [entry.id for entry in page.entries]


def test_finds_words_of_text_author_and_article(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write("I counted forty swifts", path="/a", title="Evening")
    two = it.write("Nothing here", guest=Guest("Zoë", "zoe@post.example"), path="/a")
    three = it.write("Nor here", path="/b", title="The swifts are back")
    four = it.write("By a member", by=it.person("Swifts Fan").id, path="/c", title="C")
    assert found(it, "swifts") == [four, three, one]
    assert found(it, "SWIFTS forty") == [one]
    assert found(it, "zoe@post.example") == [two]
    assert found(it, "post.example") == [two]
    assert found(it, "Zoë") == [two]
    assert found(it, "swif") == []
    assert found(it, "swif*") == [four, three, one]
    assert found(it, "here")[::-1] == [two, three]
    assert found(it, "here", Tab.SPAM) == []
    assert "forty" in it.owner.page("/admin?q=forty")


def test_follows_what_changes(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    person = it.person("Old Name")
    one = it.write("The first words", by=person.id)
    begin_write(it.session)
    it.session.get_one(Comment, one).source = "Other ones"
    it.session.get_one(Commenter, person.id).name = "Fresh"
    it.session.get_one(Thread, it.session.get_one(Comment, one).thread_id).title = "Retitled"
    it.session.commit()
    for typed in ("first", "old", "counting"):
        assert found(it, typed) == [], typed
    for typed in ("other", "fresh", "retitled"):
        assert found(it, typed) == [one], typed
    begin_write(it.session)
    it.session.execute(text("DELETE FROM comment"))
    it.session.commit()
    assert found(it, "other") == []


def test_survives_whatever_is_typed(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write("Plain words")
    for typed in (
        *(attack.text[:200].encode(errors="replace").decode() for attack in ATTACKS[::9]),
        '"', "'", "* NOT", "words AND", "NEAR(words, 2)", "source:words", "-words", "(", "words\\", "a:b'c|d&!", "☃ 💥",
        "\\0words", "'words':*", "%", "x" * 200,
    ):  # fmt: skip
        assert set(found(it, typed.replace("\0", ""))) <= {one}, typed
    assert found(it, '"plain') == [one]
    assert found(it, "!!!") == []


def test_frequent_words_are_found_along_the_list(
    queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = queue_of_site
    monkeypatch.setattr(queue_query, "LOOK", 6)
    wanted = it.write("number needle", status=Status.SPAM)
    ids = it.held(12)
    assert found(it, "number") == ids[::-1][:6] or found(it, "number") == ids[::-1]
    assert found(it, "number", Tab.SPAM) == [wanted]
    assert found(it, "needle", Tab.SPAM) == [wanted]
    assert found(it, "needle") == []


def test_other_sites_stay_out(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    it.write("A secret word")
    it.session.rollback()
    assert queue.page(it.session, it.site_id + 1, Tab.HELD, Filters(q="secret")).entries == []


def test_a_very_long_text_is_stored_all_the_same(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write("Beginning " + " ".join(f"w{number}" for number in range(90_000)))
    assert found(it, "beginning") == [one]


def test_every_table_of_words_has_its_triggers(queue_of_site: AdminQueue) -> None:
    """Rebuilding a table, as SQLite's migrations do, would lose them in silence."""
    it = queue_of_site
    sqlite = it.session.get_bind().dialect.name == "sqlite"
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if sqlite
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    kinds = ("insert", "update", "delete") if sqlite else ("follow",)
    expected = {f"{name}_search_{kind}" for name in ("comment", "thread", "commenter") for kind in kinds}
    assert set(it.session.scalars(text(query))) >= expected


def test_what_was_typed_becomes_phrases(engine_name: str) -> None:
    assert full_text.phrases(" Ada@mail.example  swif* ab* !! ") == [
        (("ada", "mail", "example"),),
        (("swif*",),),
        (("ab",),),
    ]
    assert full_text.phrases("\u6587\u7ae0 \u6587 Zo\u00eb") == [
        (("\u6587\u7ae0",),),
        (("\u6587*",),),
        (("zoe",), ("zo\u00eb",)),
    ]
