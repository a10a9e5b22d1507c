"""Votes: who counts, who does not, what they change, and what remains of them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import guest_claims
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import erasure, personal_export, retention
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.domain.moderation import decisions
from commentsvc.domain.thread_admin import merging
from commentsvc.domain.votes import score_changes, votes
from commentsvc.domain.votes.scores import score
from commentsvc.errors import CommentsvcError, ForbiddenError, InvalidFieldsError, NotFoundError
from commentsvc.models import Ban, BanKind, Comment, Decision, Likes, Role, Site, Status, Thread, Vote, now
from tests.support.comment_builders import NOON, Pen, article
from tests.support.member_client import person

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def guest(number: int, *, network: str = "") -> Author:
    """A guest with a key and a network of their own."""
    return Author(author_key_hash=f"{number:064}", network_hash=network or f"n{number:063}")


@pytest.fixture
def pen(session: Session, site: Site) -> Pen:
    site.likes = Likes.LIKES
    session.commit()
    begin_write(session)
    return article(session, site)


def cast(session: Session, comment: Comment, voter: Author, value: int = 1, **how: Any) -> votes.VoteState:
    return votes.cast(session, comment.id, voter, value, at=how.get("at", NOON))


def numbers(session: Session, comment: Comment) -> tuple[int, int]:
    session.refresh(comment)
    return comment.ups, comment.downs


def test_each_reader_counts_once_and_may_take_it_back(session: Session, pen: Pen) -> None:
    comment = pen.write()
    for _ in range(2):
        assert cast(session, comment, guest(1)) == votes.VoteState(comment.id, 1, 1)
    assert cast(session, comment, guest(2)).number == 2
    assert numbers(session, comment) == (2, 0)
    for _ in range(2):
        assert cast(session, comment, guest(1), 0) == votes.VoteState(comment.id, 0, 1)
    assert numbers(session, comment) == (1, 0)
    assert comment.score == score(1, 0)


def test_of_one_network_only_a_few_guests_count_and_none_of_them_sees_that(
    session: Session, pen: Pen
) -> None:
    comment = pen.write()
    crowd = [guest(number, network="n" * 64) for number in range(20)]
    for number, voter in enumerate(crowd, start=1):
        shown = cast(session, comment, voter)
        assert shown.value == 1
        assert shown.number == min(number, votes.GUESTS_PER_NETWORK + 1)
    assert numbers(session, comment) == (votes.GUESTS_PER_NETWORK, 0)
    cast(session, comment, crowd[-1], 0)
    assert numbers(session, comment) == (votes.GUESTS_PER_NETWORK, 0)
    cast(session, comment, Author(network_hash="m" * 64))  # without a key: one of a network
    cast(session, comment, Author(network_hash="m" * 64))
    assert numbers(session, comment) == (votes.GUESTS_PER_NETWORK + 1, 0)


def test_whoever_may_not_vote_changes_nothing(session: Session, site: Site, pen: Pen) -> None:
    member = person(session)
    begin_write(session)
    by_guest, by_member = (
        pen.write(by=Author(author_key_hash=f"{1:064}")),
        pen.write(by=Author(commenter_id=member.commenter_id)),
    )
    hidden = [pen.write() for _ in range(3)]
    for comment, status in zip(hidden, (Status.HELD, Status.SPAM, Status.TRASH), strict=True):
        decisions.decide(session, comment, status)
    session.add(
        Ban(site_id=site.id, kind=BanKind.AUTHOR, value=f"{9:064}", label="x", reason="", created_at=NOON)
    )
    session.flush()
    refused: list[tuple[Comment | int, Author, int, type[CommentsvcError]]] = [
        (by_guest, guest(1), 1, ForbiddenError),
        (by_guest, Author(commenter_id=member.commenter_id, author_key_hash=f"{1:064}"), 1, ForbiddenError),
        (by_member, Author(commenter_id=member.commenter_id), 1, ForbiddenError),
        (by_guest, guest(9), 1, ForbiddenError),
        (by_guest, guest(2), -1, InvalidFieldsError),
        (by_guest, guest(2), 7, InvalidFieldsError),
        *((comment, guest(2), value, NotFoundError) for comment in hidden for value in (1, 0)),
        *((number, guest(2), 1, NotFoundError) for number in (0, 10**9, 10**18, 10**30)),
    ]
    messages = set()
    for comment, voter, value, error in refused:
        number = comment if isinstance(comment, int) else comment.id
        with pytest.raises(error) as raised:
            votes.cast(session, number, voter, value, at=NOON)
        if error is NotFoundError:
            messages.add(str(raised.value))
    assert len(messages) == 1
    assert session.scalars(select(Vote)).all() == []
    for setting in ({"likes": Likes.OFF}, {"guests": False}):
        for name, value in setting.items():
            setattr(site, name, value)
        session.flush()
        with pytest.raises(CommentsvcError):
            cast(session, by_guest, guest(2))
        site.likes = Likes.LIKES


def test_a_thread_has_a_new_version_at_most_once_a_minute(session: Session, pen: Pen) -> None:
    comment, other = pen.write(), pen.write()
    version = pen.thread.version
    for second in range(0, 50, 10):
        cast(session, comment if second % 20 else other, guest(second), at=NOON + timedelta(seconds=second))
    cast(session, comment, guest(10), at=NOON + timedelta(seconds=55))  # the same again changes nothing
    assert pen.thread.version == version
    session.commit()
    assert score_changes.publish(session, at=NOON + timedelta(seconds=59)) == 0
    assert score_changes.publish(session, at=NOON + timedelta(seconds=60)) == 1
    assert pen.thread.version == version + 1
    assert pen.thread.votes_since is None
    assert score_changes.publish(session, at=NOON + timedelta(hours=1)) == 0


def test_a_readers_own_votes_are_found_and_none_on_what_is_hidden(
    session: Session, site: Site, pen: Pen
) -> None:
    shown, held = pen.write(), pen.write()
    elsewhere = article(session, site, "/elsewhere").write()
    for comment in (shown, held, elsewhere):
        cast(session, comment, guest(1))
    decisions.decide(session, held, Status.HELD)
    assert [state.id for state in votes.of_reader(session, site, pen.thread, guest(1))] == [shown.id]
    assert votes.of_reader(session, site, pen.thread, guest(2)) == []
    assert votes.of_reader(session, site, pen.thread, Author()) == []
    decisions.decide(session, held, Status.APPROVED)
    assert numbers(session, held) == (1, 0)


def test_a_readers_votes_are_read_along_their_index(session: Session, site: Site, pen: Pen) -> None:
    cast(session, pen.write(), guest(1))
    thread, statements = pen.thread, []

    def note(_c: Any, _cursor: Any, text: str, parameters: Any, *_more: Any) -> None:
        statements.append((text, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    votes.of_reader(session, site, thread, Author(commenter_id=1, author_key_hash=f"{1:064}"))
    event.remove(db.engine, "before_cursor_execute", note)
    ((text, parameters),) = statements
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)]
        assert plan[0].startswith("SEARCH vote USING INDEX")
        assert plan[1].startswith("SEARCH comment USING INTEGER PRIMARY KEY")


def test_downs_are_subtracted_and_the_best_come_first(session: Session, site: Site, pen: Pen) -> None:
    site.likes = Likes.VOTES
    session.flush()
    comment = pen.write()
    for number in range(5):
        cast(session, comment, guest(number), 1 if number else -1)
    assert cast(session, comment, guest(0), -1) == votes.VoteState(comment.id, -1, 3)
    assert cast(session, comment, guest(0), 1) == votes.VoteState(comment.id, 1, 5)
    assert numbers(session, comment) == (5, 0)
    ranked = [(1000, 10), (9, 1), (5, 5), (1, 0), (0, 0), (1, 3), (0, 9)]
    scores = [score(*pair) for pair in ranked]
    assert scores == sorted(scores, reverse=True)
    assert scores[4] == 0
    likes = [score(ups, 0) for ups in (*range(300), 10**4, 10**5, 10**6)]
    assert likes == sorted(set(likes))


def test_an_owners_like_is_shown_as_the_authors(session: Session, pen: Pen) -> None:
    owner, comment = accounts.operator(session), pen.write()
    cast(session, comment, guest(1))
    assert not comment.liked_by_owner
    cast(session, comment, Author(commenter_id=owner.id, role=Role.OWNER))
    assert comment.liked_by_owner
    cast(session, comment, guest(1), 0)
    assert comment.liked_by_owner
    cast(session, comment, Author(commenter_id=owner.id, role=Role.OWNER), 0)
    assert not comment.liked_by_owner


def test_one_person_counts_once_as_guest_and_as_member(session: Session, site: Site, pen: Pen) -> None:
    account = person(session).commenter_id
    begin_write(session)
    both, as_guest, own = pen.write(), pen.write(), pen.write(by=Author(author_key_hash=f"{1:064}"))
    cast(session, both, guest(1))
    cast(session, both, Author(commenter_id=account, author_key_hash=f"{1:064}"))
    assert numbers(session, both) == (1, 0)
    cast(session, both, guest(1))  # logged out again: a second vote, which the claim takes back
    cast(session, as_guest, guest(1))
    guest_claims.claim_of_browser(
        session, site.id, [own.id], f"{1:064}", Author(commenter_id=account), at=NOON
    )
    assert numbers(session, both) == numbers(session, as_guest) == (1, 0)
    assert {vote.voter for vote in session.scalars(select(Vote))} == {f"account:{account}"}
    exported = personal_export.person(session, account, at=now())["votes"]
    assert {(row["comment"], row["vote"]) for row in exported} == {(both.id, 1), (as_guest.id, 1)}


def test_the_votes_of_erased_people_go(session: Session, pen: Pen) -> None:
    account = person(session).commenter_id
    begin_write(session)
    comment, erased = pen.write(), pen.write(by=Author(guest=Guest("Ben"), author_key_hash=f"{5:064}"))
    cast(session, comment, Author(commenter_id=account))
    cast(session, comment, guest(5))
    cast(session, comment, guest(6))
    cast(session, erased, guest(6))
    session.commit()
    erasure.erase(session, account, Texts.KEEP)
    assert numbers(session, comment) == (2, 0)
    ben = erasure.AuthorRef.read(None, None, "Ben")
    assert ben is not None
    assert erasure.erase_guest(session, ben) == 1
    assert numbers(session, comment) == (1, 0)
    assert numbers(session, erased) == (0, 0)
    rows = session.scalars(select(Vote)).all()
    assert [(vote.comment_id, vote.voter) for vote in rows] == [(comment.id, f"key:{6:064}")]


def test_networks_are_forgotten_and_the_numbers_stay(session: Session, pen: Pen) -> None:
    comment = pen.write()
    cast(session, comment, guest(1))
    cast(session, comment, Author(network_hash="m" * 64))
    cast(session, comment, guest(2), at=NOON + timedelta(days=60))
    session.commit()
    limits = retention.RetentionPeriods(networks=90, emails=0, spam=0, trash=0)
    retention.delete_expired(session, limits, at=NOON + timedelta(days=91))
    rows = {vote.voter: vote.network_hash for vote in session.scalars(select(Vote))}
    assert rows == {f"key:{1:064}": None, f"key:{2:064}": f"n{2:063}"}
    assert numbers(session, comment) == (3, 0)


def test_votes_go_with_their_comments_into_another_thread(session: Session, site: Site, pen: Pen) -> None:
    other = article(session, site, "/other")
    comment = pen.write()
    other.write()
    cast(session, comment, guest(1))
    merging.merge(session, pen.thread, other.thread, moderator_id=None, at=NOON)
    thread = session.scalars(select(Thread)).one()
    assert [state.id for state in votes.of_reader(session, site, thread, guest(1))] == [comment.id]
    assert cast(session, comment, guest(1)).number == 1


def test_many_likes_of_one_reader_at_the_same_moment_are_one(session: Session, pen: Pen) -> None:
    comment = pen.write()
    session.commit()
    engine, errors = db.engine, []
    together = threading.Barrier(6)

    def like(number: int) -> None:
        try:
            with Session(engine) as own:
                together.wait(timeout=30)
                begin_write(own)
                votes.cast(own, comment.id, guest(number % 2), 1, at=NOON)
                own.commit()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=like, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    assert errors == []
    assert numbers(session, comment) == (2, 0)
    assert len(session.scalars(select(Vote)).all()) == 2


def test_an_emptied_comment_has_no_votes(session: Session, pen: Pen) -> None:
    comment = pen.write()
    pen.write(to=comment)
    cast(session, comment, guest(1))
    decisions.decide(session, comment, Status.TRASH)
    session.execute(update(Decision).values(created_at=NOON))
    session.commit()
    limits = retention.RetentionPeriods(networks=0, emails=0, spam=0, trash=30)
    retention.delete_expired(session, limits, at=NOON + timedelta(days=31))
    assert numbers(session, comment) == (0, 0)
    assert comment.score == 0
    assert session.scalars(select(Vote)).all() == []
