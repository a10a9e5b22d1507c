"""Old links to comments lead to the comments they meant; our own have a form of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.reading import old_anchors
from commentsvc.models import Comment, Site, Thread
from tests.support import wxr
from tests.support.comment_builders import article as pen_for

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Find = Callable[[str], str | None]


@pytest.fixture
def find(session: Session) -> Find:
    """Return the text of the comment that an anchor means in the article /hello."""

    def text(anchor: str) -> str | None:
        thread = session.scalars(select(Thread).where(Thread.url.endswith("/hello/"))).one()
        number = old_anchors.comment_id(session, thread.id, anchor)
        return session.get_one(Comment, number).source if number is not None else None

    return text


@ENGINES
def test_an_anchor_means_the_old_number_and_never_another_comment_of_the_thread(
    session: Session, site: Site, find: Find
) -> None:
    comments = [wxr.comment(f"was {number}", number=number, **wxr.at(9 - number)) for number in (1, 2, 3)]
    load_other = wxr.item(wxr.comment("elsewhere", number=9), link="/other/")
    wxr.load(session, site, wxr.item(*comments), load_other)
    assert [one.source for one in wxr.stored(session)][:3] == ["was 3", "was 2", "was 1"]
    assert [find(f"#comment-{number}") for number in (1, 2, 3)] == ["was 1", "was 2", "was 3"]
    assert [find(f"#comment-c{number}") for number in (1, 2, 3)] == ["was 3", "was 2", "was 1"]
    assert find("#comment-9") is None


@ENGINES
def test_links_given_out_so_far_go_on_working(session: Session, site: Site, find: Find) -> None:
    wxr.load(session, site, wxr.item(wxr.comment("was 70", number=70)))
    begin_write(session)
    here = pen_for(session, site, "/hello/").write("written here")
    session.commit()
    assert find(f"#comment-{here.id}") == find(old_anchors.own(here.id)) == "written here"
    assert find("#comment-70") == "was 70"
    assert find("#comment-7") is None


def test_numbers_that_begin_anew_in_each_article_are_told_apart(
    session: Session, site: Site, find: Find
) -> None:
    wxr.load(
        session,
        site,
        wxr.item(wxr.comment("first", number=1), link="/first/", post_id="1"),
        wxr.item(wxr.comment("second", number=1), link="/hello/", post_id="2"),
    )
    assert find("#comment-1") == "second"


@pytest.mark.parametrize(
    ("key", "anchor"),
    [
        ("isso:blog.example:12", "#isso-12"),
        ("disqus:forum:5123456789", "#comment-5123456789"),
        ("remark42:site:5b1f-22_%", "#remark42__comment-5b1f-22_%"),
        ("remark42:site:5b1f22", "#remark42__comment-5b1f22"),
        ("blogger:123:4567890123456789012", "#c4567890123456789012"),
    ],
)
def test_each_system_has_its_form(session: Session, site: Site, find: Find, key: str, anchor: str) -> None:
    pen = pen_for(session, site, "/hello/")
    for transfer_key, text in ((key, "this"), (f"{key}3", "not"), (f"other:x:{key[-2:]}", "nor")):
        pen.write(text).transfer_key = transfer_key
    session.commit()
    assert find(anchor) == (None if "%" in anchor else "this")


@pytest.mark.parametrize(
    "anchor", ["", "#", "#respond", "#comments", "#comment-", "#comment-" + "9" * 300, "#c\0", "#isso-%"]
)
def test_other_anchors_lead_nowhere(session: Session, site: Site, find: Find, anchor: str) -> None:
    wxr.load(session, site, wxr.item(wxr.comment(number=1)))
    assert find(anchor) is None
