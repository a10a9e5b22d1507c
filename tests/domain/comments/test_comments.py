"""Writing comments: answers, repeats, retries, trust."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text, editing
from commentsvc.domain.comments.comments import FormSignals
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.errors import AlreadyPostedError, DuplicateCommentError, InvalidFieldsError, NotFoundError
from commentsvc.models import Comment, Commenter, Decision, Policy, Role, Site, Status, Thread
from commentsvc.text import markup
from tests.support.comment_builders import ANNA, BEN, NOON, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def reasons(session: Session, comment: Comment) -> list[dict[str, str]]:
    """The reasons of a comment's last decision."""
    query = select(Decision).where(Decision.comment_id == comment.id).order_by(Decision.id.desc())
    return session.scalars(query.limit(1)).one().reasons


def test_a_comment_is_stored_as_typed_and_as_shown(session: Session, site: Site) -> None:
    comment = article(session, site).write("**Hello**\r\nthere")
    session.expire(comment)
    assert comment.source == "**Hello**\nthere"
    assert comment.html == "<p><strong>Hello</strong><br>\nthere</p>\n"
    assert comment.renderer == markup.VERSION
    assert (comment.guest_name, comment.guest_email, comment.guest_website) == (
        "Anna",
        "anna@mail.example",
        None,
    )
    assert comment.created_at == NOON + timedelta(minutes=1)
    assert comment.status is Status.APPROVED
    assert comment.shown


def test_an_answer_knows_its_root_and_depth(session: Session, site: Site) -> None:
    pen = article(session, site)
    root = pen.write()
    first = pen.write(to=root)
    second = pen.write(to=first)
    assert (root.root_id, root.depth) == (None, 0)
    assert (first.parent_id, first.root_id, first.depth) == (root.id, root.id, 1)
    assert (second.parent_id, second.root_id, second.depth) == (first.id, root.id, 2)


@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
def test_a_comment_nobody_sees_cannot_be_answered(session: Session, site: Site, status: Status) -> None:
    pen = article(session, site)
    parent = pen.write()
    decisions.decide(session, parent, status)
    with pytest.raises(NotFoundError):
        pen.write(to=parent)


def test_a_placeholder_cannot_be_answered(session: Session, site: Site) -> None:
    pen = article(session, site)
    parent = pen.write()
    pen.write(to=parent)
    decisions.decide(session, parent, Status.TRASH)
    assert parent.shown
    with pytest.raises(NotFoundError):
        pen.write(to=parent)


def test_a_comment_of_another_thread_cannot_be_answered(session: Session, site: Site) -> None:
    elsewhere = article(session, site, "/elsewhere").write()
    with pytest.raises(NotFoundError):
        article(session, site).write(to=elsewhere)


def test_a_comment_of_another_site_cannot_be_answered(session: Session, site: Site) -> None:
    other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    other.policy = Policy.OPEN
    elsewhere = article(session, other).write()
    with pytest.raises(NotFoundError):
        article(session, site).write(to=elsewhere)


@pytest.mark.parametrize("parent", [0, 10**17])
def test_a_comment_that_is_not_there_cannot_be_answered(session: Session, site: Site, parent: int) -> None:
    with pytest.raises(NotFoundError):
        article(session, site).write(to=parent)


def test_the_same_person_cannot_say_the_same_twice(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.write("I agree with this.")
    with pytest.raises(DuplicateCommentError, match="looks as though you've already said that"):
        pen.write("I agree with this.")


@pytest.mark.parametrize(
    "again",
    ["i agree WITH this.", "  I  agree\nwith this. ", "\uff29 agree with this.", "I agree\u00a0with this."],
)
def test_the_same_said_with_other_spaces_or_letters_is_the_same(
    session: Session, site: Site, again: str
) -> None:
    pen = article(session, site)
    pen.write("I agree with this.")
    with pytest.raises(DuplicateCommentError):
        pen.write(again)


@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM])
def test_a_repeat_of_what_waits_is_a_repeat(session: Session, site: Site, status: Status) -> None:
    pen = article(session, site)
    decisions.decide(session, pen.write("+1"), status)
    with pytest.raises(DuplicateCommentError):
        pen.write("+1")


def test_what_was_trashed_may_be_said_again(session: Session, site: Site) -> None:
    pen = article(session, site)
    decisions.decide(session, pen.write("+1"), Status.TRASH)
    assert pen.write("+1").id


def test_two_people_may_say_the_same(session: Session, site: Site) -> None:
    pen = article(session, site)
    assert pen.write("+1", by=ANNA).id != pen.write("+1", by=BEN).id


def test_two_people_of_one_name_may_say_the_same(session: Session, site: Site) -> None:
    pen = article(session, site)
    assert pen.write("+1", by=ANNA).id != pen.write("+1", by=Guest("Anna", "other@mail.example")).id


def test_the_same_may_be_said_in_another_thread(session: Session, site: Site) -> None:
    one, other = article(session, site), article(session, site, "/other")
    assert one.write("+1").id != other.write("+1").id


def test_one_browser_cannot_say_the_same_under_two_names(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.write("+1", by=Author(guest=ANNA, author_key_hash="a" * 64))
    with pytest.raises(DuplicateCommentError):
        pen.write("+1", by=Author(guest=BEN, author_key_hash="a" * 64))


def test_nameless_people_are_told_apart_by_their_network(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.write("+1", by=Author(network_hash="a" * 64))
    assert pen.write("+1", by=Author(network_hash="b" * 64)).id
    with pytest.raises(DuplicateCommentError):
        pen.write("+1", by=Author(network_hash="a" * 64))


def test_an_account_cannot_say_the_same_twice(session: Session, site: Site) -> None:
    pen = article(session, site)
    owner = Author(commenter_id=accounts.operator(session).id)
    pen.write("+1", by=owner)
    with pytest.raises(DuplicateCommentError):
        pen.write("+1", by=owner)
    assert pen.write("+1", by=ANNA).id


def test_a_retry_is_told_what_the_first_try_made(session: Session, site: Site) -> None:
    pen = article(session, site)
    first = pen.write("Hello", key="k" * 64)
    with pytest.raises(AlreadyPostedError) as caught:
        pen.write("Hello", key="k" * 64)
    assert caught.value.comment_id == first.id
    assert session.scalar(select(func.count()).select_from(Comment)) == 1


def test_a_key_is_one_threads_own(session: Session, site: Site) -> None:
    article(session, site).write(key="key")
    assert article(session, site, "/other").write(key="key").id


def test_a_stranger_waits_where_first_comments_are_held(session: Session, site: Site) -> None:
    site.policy = Policy.HOLD_FIRST
    comment = article(session, site).write()
    assert comment.status is Status.HELD
    assert not comment.shown
    assert reasons(session, comment)[0]["reason"] == "This person has no approved comment on this site yet."


def test_a_browser_with_an_approved_comment_is_known_on_the_whole_site(session: Session, site: Site) -> None:
    site.policy = Policy.HOLD_FIRST
    author = Author(guest=ANNA, author_key_hash="a" * 64)
    decisions.decide(session, article(session, site).write(by=author), Status.APPROVED)
    other = article(session, site, "/other")
    assert other.write(by=Author(guest=BEN, author_key_hash="a" * 64)).status is Status.APPROVED


def test_a_browser_is_a_stranger_on_another_site(session: Session, site: Site) -> None:
    author = Author(guest=ANNA, author_key_hash="a" * 64)
    assert article(session, site).write(by=author).status is Status.APPROVED
    other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    assert article(session, other).write(by=author).status is Status.HELD


@pytest.mark.parametrize("status", [Status.TRASH, Status.SPAM, Status.HELD])
def test_a_browser_whose_comments_were_withdrawn_is_a_stranger_again(
    session: Session, site: Site, status: Status
) -> None:
    site.policy = Policy.HOLD_FIRST
    author = Author(guest=ANNA, author_key_hash="a" * 64)
    pen = article(session, site)
    comment = pen.write(by=author)
    decisions.decide(session, comment, Status.APPROVED)
    decisions.decide(session, comment, status)
    assert pen.write(by=author).status is Status.HELD


@pytest.mark.parametrize("key", [None, "b" * 64])
def test_typing_a_known_persons_address_gives_no_trust(session: Session, site: Site, key: str | None) -> None:
    site.policy = Policy.HOLD_FIRST
    pen = article(session, site)
    decisions.decide(session, pen.write(by=Author(guest=ANNA, author_key_hash="a" * 64)), Status.APPROVED)
    forged = pen.write("I am Anna, believe me", by=Author(guest=ANNA, author_key_hash=key))
    assert forged.status is Status.HELD


def test_typing_the_owners_details_gives_no_badge_and_changes_nothing_of_theirs(
    session: Session, site: Site
) -> None:
    site.policy = Policy.HOLD_FIRST
    owner = accounts.operator(session)
    pen = article(session, site)
    theirs = pen.write(by=Author(commenter_id=owner.id, role=Role.OWNER))
    forged = pen.write(by=Guest("Site owner", "owner@mail.example", "https://blog.example"))
    assert theirs.status is Status.APPROVED
    assert (forged.status, forged.role, forged.commenter_id) == (Status.HELD, None, None)
    assert session.get_one(Commenter, owner.id).name == "Site owner"


def test_the_owner_need_not_wait_even_where_all_do(session: Session, site: Site) -> None:
    site.policy = Policy.HOLD_ALL
    pen = article(session, site)
    owner = Author(commenter_id=accounts.operator(session).id, role=Role.OWNER)
    assert pen.write(by=owner).status is Status.APPROVED
    assert pen.write(by=ANNA).status is Status.HELD


def test_a_known_browser_waits_where_all_do(session: Session, site: Site) -> None:
    pen = article(session, site)
    author = Author(guest=ANNA, author_key_hash="a" * 64)
    pen.write(by=author)
    site.policy = Policy.HOLD_ALL
    assert pen.write(by=author).status is Status.HELD


def test_whoever_fills_in_the_hidden_field_is_spam(session: Session, site: Site) -> None:
    comment = article(session, site).write(form=FormSignals(honeypot_filled=True))
    assert comment.status is Status.SPAM
    assert reasons(session, comment)[-1]["check"] == "honeypot"


def test_whoever_is_faster_than_reading_waits(session: Session, site: Site) -> None:
    pen = article(session, site)
    hasty = pen.write(form=FormSignals(seconds_on_form=1.2))
    assert hasty.status is Status.HELD
    assert reasons(session, hasty)[-1]["reason"] == "Sent 1.2 seconds after the form was opened."
    assert pen.write(form=FormSignals(seconds_on_form=2.0)).status is Status.APPROVED


def test_every_check_leaves_its_reason(session: Session, site: Site) -> None:
    comment = article(session, site).write(form=FormSignals(honeypot_filled=True, seconds_on_form=0.1))
    assert [(one["check"], one["status"]) for one in reasons(session, comment)] == [
        ("policy", "approved"),
        ("honeypot", "spam"),
        ("too_fast", "held"),
    ]


def test_a_text_the_sanitisers_disagree_about_waits_and_says_why(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markup, "_LAST", SimpleNamespace(clean=lambda _: "<p>something else</p>"))
    comment = article(session, site).write("*Hello*")
    assert comment.status is Status.HELD
    assert reasons(session, comment)[-1] == {
        "check": "sanitisers",
        "status": "held",
        "reason": "The two sanitisers disagreed about this text; please read it.",
    }


def test_an_edit_the_sanitisers_disagree_about_is_withdrawn(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    pen = article(session, site)
    comment = pen.write("*Hello*")
    monkeypatch.setattr(markup, "_LAST", SimpleNamespace(clean=lambda _: "<p>something else</p>"))
    editing.edit(session, comment, comment_text.from_source("*Hello* again", longest=100), at=NOON)
    assert (comment.status, comment.shown, pen.thread.approved_count) == (Status.HELD, False, 0)
    assert reasons(session, comment)[0]["check"] == "sanitisers"


def test_an_edit_changes_text_digest_and_details(session: Session, site: Site) -> None:
    pen = article(session, site)
    comment = pen.write("Hello")
    before = pen.thread.version
    later = NOON + timedelta(hours=1)
    editing.edit(session, comment, comment_text.from_source("*Bye*", longest=100), at=later, guest=BEN)
    session.expire(comment)
    assert (comment.source, comment.html, comment.edited_at) == ("*Bye*", "<p><em>Bye</em></p>\n", later)
    assert (comment.guest_name, comment.guest_email) == (BEN.name, BEN.email)
    assert comment.digest == comment_text.digest_of("*Bye*")
    assert pen.thread.version > before
    assert pen.write("Hello").id


def test_an_edit_gives_an_account_no_guests_details(session: Session, site: Site) -> None:
    comment = article(session, site).write(by=Author(commenter_id=accounts.operator(session).id))
    editing.edit(session, comment, comment_text.from_source("Bye", longest=100), at=NOON, guest=BEN)
    assert comment.guest_name is None
    assert comment.guest_email is None


def test_an_edit_of_what_nobody_sees_shows_it_to_nobody(session: Session, site: Site) -> None:
    pen = article(session, site)
    comment = pen.write("Hello")
    decisions.decide(session, comment, Status.TRASH)
    editing.edit(session, comment, comment_text.from_source("Bye", longest=100), at=NOON)
    assert (comment.status, comment.shown, pen.thread.approved_count) == (Status.TRASH, False, 0)


@pytest.mark.parametrize("empty", ["", "  \n", "<!-- -->".replace("<!-- -->", "\u200b"), "```\n```"])
def test_a_text_that_shows_nothing_is_no_comment(session: Session, site: Site, empty: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        comment_text.from_source(empty, longest=100)
    assert caught.value.fields == {"text": "Please enter a comment"}


def test_a_refused_comment_leaves_nothing(session: Session, site: Site) -> None:
    with pytest.raises(NotFoundError):
        article(session, site).write(to=4711)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Thread)) == 0
