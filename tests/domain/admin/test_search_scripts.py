"""The queue and the people are searched in every script, also rows that an earlier release wrote."""

from __future__ import annotations

import pytest
from sqlalchemy import text, update

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import people_search, queue
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import reindexing, retention
from commentsvc.domain.maintenance.retention import RetentionPeriods
from commentsvc.models import Comment, Commenter, Thread, now
from tests.support.admin_queue import AdminQueue, open_queue
from tests.test_search_words import INSIDE

queue_of_site = open_queue
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def found(it: AdminQueue, typed: str) -> list[int]:
    it.session.rollback()
    return [entry.id for entry in queue.page(it.session, it.site_id, Tab.HELD, Filters(q=typed)).entries]


def names(it: AdminQueue, typed: str) -> list[str]:
    it.session.rollback()
    return [one.name for one in people_search.find(it.session, it.site_id, typed)]


def as_before(it: AdminQueue, *models: type[Comment | Thread | Commenter]) -> None:
    """Make the rows look as an earlier release left them."""
    begin_write(it.session)
    for model in models:
        it.session.execute(update(model).values(search_text=None))
    it.session.commit()


def test_words_are_found_in_texts_of_every_script(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    for name, (written, typed, other) in INSIDE.items():
        number = it.write(written, guest=Guest("Ada", f"{len(name)}@mail.example"))
        assert found(it, typed) == [number], name
        assert found(it, other) == [], name
        begin_write(it.session)
        it.session.delete(it.session.get_one(Comment, number))
        it.session.commit()
        assert found(it, typed) == [], name


def test_names_and_titles_of_every_script_are_found(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write(
        "x",
        guest=Guest("\u738b\u5c0f\u660e", "wang@mail.example"),
        path="/a",
        title="\u6587\u7ae0\u4e00\u89c8",
    )
    two = it.write("y", by=it.person("\u0130zmir\u2019li H\u00fcseyin").id, path="/b", title="B")
    assert found(it, "\u5c0f\u660e") == found(it, "\u4e00\u89c8") == found(it, "wang@mail.example") == [one]
    assert found(it, "izmir huseyin") == [two]
    assert (
        names(it, "\u5c0f\u660e")
        == names(it, "\u738b")
        == names(it, "Wang@Mail.example")
        == ["\u738b\u5c0f\u660e"]
    )
    assert names(it, "\u0130ZM\u0130R") == names(it, "h\u00fcs") == ["\u0130zmir\u2019li H\u00fcseyin"]


def test_rows_of_an_earlier_release_are_found_as_before_until_they_are_indexed(
    queue_of_site: AdminQueue,
) -> None:
    it = queue_of_site
    sentence = "\u8fd9\u662f\u4e00\u7bc7\u6587\u7ae0"
    one = it.write(
        f"{sentence} caf\u00e9 Stra\u00dfe",
        guest=Guest("Zo\u00eb", "zoe@mail.example"),
        title="\u00c9t\u00e9",
    )
    as_before(it, Comment, Thread, Commenter)
    for typed in (sentence, "Caf\u00e9", "stra\u00dfe", "Zo\u00eb", "zoe@mail.example", "\u00e9t\u00e9"):
        assert found(it, typed) == [one], typed
    assert found(it, "\u6587\u7ae0") == []

    left = reindexing.count(it.session)
    seen: list[int] = []
    assert reindexing.reindex(it.session, progress=seen.append) == left == sum(seen) >= 3
    assert reindexing.count(it.session) == reindexing.reindex(it.session) == 0
    for typed in (sentence, "\u6587\u7ae0", "cafe", "strasse", "zoe", "ete"):
        assert found(it, typed) == [one], typed


def test_an_interrupted_run_goes_on(queue_of_site: AdminQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    it = queue_of_site
    it.held(5)
    as_before(it, Comment)
    monkeypatch.setattr(reindexing, "BATCH", 2)

    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindexing.reindex(it.session, progress=stop)
    it.session.rollback()
    assert reindexing.count(it.session) == 3
    assert reindexing.reindex(it.session) == 3
    assert len(found(it, "number")) == 5


def test_a_text_that_is_edited_or_blanked_leaves_nothing_behind(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    one = it.write("\u6587\u7ae0", guest=Guest("Ada", "ada@mail.example"))
    begin_write(it.session)
    it.session.get_one(Comment, one).source = "\u97f3\u4e50"
    it.session.commit()
    assert found(it, "\u6587\u7ae0") == []
    assert found(it, "\u97f3\u4e50") == [one]
    begin_write(it.session)
    it.session.execute(update(Comment).values(created_at=now().replace(year=2001)))
    it.session.commit()
    periods = RetentionPeriods(networks=0, emails=1, spam=0, trash=0)
    retention.delete_expired(it.session, periods, at=now())
    assert found(it, "mail.example") == []
    assert found(it, "ada") == [one]
    assert "mail" not in str(it.session.scalar(text("SELECT search_text FROM comment")))
