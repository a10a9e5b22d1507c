"""What a post puts into the tables, and that its author is shown the comment as readers will be."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, comments, insert_comment
from commentsvc.domain.comments.comments import NewComment
from commentsvc.domain.comments.insert_comment import PostedComment
from commentsvc.domain.fields import Guest
from commentsvc.domain.reading import avatars, thread_pages
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Commenter, Decision, Policy, Role, Site, Status, Thread
from tests.conftest import BLOG
from tests.support.comment_builders import ANNA, BEN, NOON, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


SENT = """
    site_id thread_id status format source html renderer digest commenter_id role guest_name guest_email guest_website
    author_key_hash network_hash created_at
""".split()  # noqa: SIM905 - a list that people read


def put(
    session: Session, site: Site, text: str, by: Guest | Author = ANNA, to: int | None = None
) -> PostedComment:
    draft = comment_text.from_source(text, longest=1000)
    author = Author(guest=by) if isinstance(by, Guest) else by
    address = threads.address_on(site, f"{BLOG}/article")
    return comments.post(session, address, NewComment(draft, parent_id=to), author, at=NOON)


@pytest.fixture
def carla(session: Session) -> Commenter:
    """Somebody with an account, a website and a picture."""
    carla = Commenter(name="Carla", website="https://carla.example", show_picture=True)
    session.add(carla)
    session.flush()
    avatars.store(session, carla.id, b"picture", at=NOON)
    session.flush()
    return carla


def test_a_guest_sees_what_readers_see(session: Session, site: Site) -> None:
    posted = put(session, site, "Hello", Guest("Anna", "anna@mail.example", "https://anna.example"))
    assert posted.view == thread_pages.comment_view(session, posted.id, own=True)
    assert (posted.status, posted.count, posted.view.placeholder) == (Status.APPROVED, 1, False)


def test_a_member_is_shown_with_name_website_and_picture(
    session: Session, site: Site, carla: Commenter
) -> None:
    posted = put(session, site, "Hello", Author(commenter_id=carla.id))
    assert posted.view == thread_pages.comment_view(session, posted.id, own=True)
    assert (posted.view.name, posted.view.website) == ("Carla", "https://carla.example")
    assert posted.view.picture


def test_a_moderator_is_shown_with_the_badge(session: Session, site: Site) -> None:
    owner = accounts.operator(session)
    posted = put(session, site, "Hello", Author(commenter_id=owner.id, role=Role.OWNER))
    assert posted.view == thread_pages.comment_view(session, posted.id, own=True)
    assert posted.view.role is Role.OWNER


def test_columns_without_a_value_get_what_the_models_say(session: Session, site: Site) -> None:
    number = put(session, site, "Hello").id
    comment = session.get_one(Comment, number)
    (decision,) = comment.decisions
    said = {name: getattr(comment, name) for name in SENT}
    decided = {name: getattr(decision, name) for name in ("status", "reasons", "created_at")}
    mapped = Comment(**said, shown=True)
    mapped_decision = Decision(comment=mapped, **decided)
    session.add_all([mapped, mapped_decision])
    session.flush()
    for inserted, expected, others in (
        (comment, mapped, {"id"}),
        (decision, mapped_decision, {"id", "comment_id"}),
    ):
        for name in set(type(inserted).__table__.c.keys()) - others:
            assert getattr(inserted, name) == getattr(expected, name), name


def test_a_column_without_a_default_must_have_a_value(session: Session, site: Site) -> None:
    posted = put(session, site, "Hello")
    comment = session.get_one(Comment, posted.id)
    row = {name: getattr(comment, name) for name in SENT} | {"guest_name": None, "guest_website": None}
    for name in ("digest", "created_at"):
        with pytest.raises(KeyError, match=name):
            insert_comment.add(session, {key: row[key] for key in row if key != name}, None, [])


def test_an_answer_says_whom_it_answers(session: Session, site: Site, carla: Commenter) -> None:
    root = put(session, site, "A question", Author(commenter_id=carla.id))
    first = put(session, site, "An answer", BEN, to=root.id)
    second = put(session, site, "Another", Guest(), to=first.id)
    third = put(session, site, "One more", ANNA, to=second.id)
    for posted, name in ((first, "Carla"), (second, "Ben"), (third, "Anonymous")):
        assert posted.view == thread_pages.comment_view(session, posted.id, own=True)
        assert posted.view.parent_name == name
    assert [one.count for one in (root, first, second, third)] == [1, 2, 3, 4]
    assert session.get_one(Comment, root.id).reply_count == 3


def test_the_author_of_a_held_comment_sees_it_waiting(session: Session, site: Site) -> None:
    site.policy = Policy.HOLD_ALL
    posted = put(session, site, "Hello")
    assert posted.view == thread_pages.comment_view(session, posted.id, own=True)
    assert (posted.status, posted.count, posted.view.held) == (Status.HELD, 0, True)
    assert not session.get_one(Comment, posted.id).shown


def test_the_first_decision_is_kept_with_its_reasons(session: Session, site: Site) -> None:
    posted = put(session, site, "Hello")
    decision = session.scalars(select(Decision).where(Decision.comment_id == posted.id)).one()
    assert (decision.status, decision.before, decision.moderator_id) == (Status.APPROVED, None, None)
    assert [reason["check"] for reason in decision.reasons] == ["policy"]


def test_each_comment_changes_the_thread_once(session: Session, site: Site) -> None:
    pen = article(session, site)
    put(session, site, "One")
    put(session, site, "Two", BEN)
    assert (pen.thread.version, pen.thread.approved_count) == (2, 2)


def test_nobody_waits_for_more_than_a_few_statements(app: Flask, session: Session, site: Site) -> None:
    root = put(session, site, "A question")
    address = threads.address_on(site, f"{BLOG}/article")
    draft, author = (
        comment_text.from_source("An answer", longest=100),
        Author(guest=BEN, author_key_hash="k" * 64),
    )
    result = comments.examine(session, site, draft, author, at=NOON)
    site.valve = False
    session.flush()
    results: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        results.append(statement.split()[0])

    event.listen(db.engine, "before_cursor_execute", note)
    comments.post(session, address, NewComment(draft, parent_id=root.id), author, at=NOON, examined=result)
    event.remove(db.engine, "before_cursor_execute", note)
    assert results.count("INSERT") == 3  # the comment, its decision, the notice for subscribers
    assert results.count("UPDATE") == 2
    assert results.count("SELECT") <= 4
    assert session.get_one(Thread, root.thread_id).approved_count
