"""Importing from WordPress: what arrives where, in which order, and that nothing arrives twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.errors import TransferError
from commentsvc.models import Comment, Commenter, Decision, Kind, Order, Role, Site, Status, Thread
from tests.support import wxr
from tests.support.comment_builders import article as pen_for

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
Load = Callable[..., ImportReport]


@pytest.fixture
def load(session: Session, site: Site) -> Load:
    return partial(wxr.load, session, site)


def dump(session: Session) -> list[tuple[object, ...]]:
    """Everything an import may write."""
    tables = (Thread, Comment, Decision, Commenter)
    return [tuple(row) for table in tables for row in session.execute(select(table.__table__).order_by("id"))]


@ENGINES
def test_an_article_becomes_a_thread_and_its_comments_keep_what_they_were(
    session: Session, load: Load
) -> None:
    report = load(
        wxr.item(wxr.comment("<b>Well</b> said.\n\nTruly.", number=41, author_url="http://a.example/"))
    )
    (comment,) = wxr.stored(session)
    assert comment.thread.key == "blog.example/hello"
    assert comment.thread.url == "https://blog.example/hello/"
    assert comment.thread.title == "Hello & welcome"
    assert comment.thread.created_at == datetime(2012, 3, 1, 8, tzinfo=UTC)
    assert comment.created_at == datetime(2012, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert comment.html == "<p><strong>Well</strong> said.</p>\n<p>Truly.</p>\n"
    assert comment.transfer_key == "wordpress:blog.example:41"
    assert (report.threads_new, report.count(), report.read) == (1, 1, 1)


def test_authors_are_guests_that_nobody_has_claimed(session: Session, load: Load) -> None:
    people = session.scalar(select(func.count()).select_from(Commenter))
    load(wxr.item(wxr.comment(author="Anna & B", author_url="http://a.example/", user_id="1")))
    (comment,) = wxr.stored(session)
    assert (comment.guest_name, comment.guest_email) == ("Anna & B", "anna@mail.example")
    assert comment.guest_website == "http://a.example/"
    assert (comment.commenter_id, comment.role, comment.author_key_hash, comment.network_hash) == (None,) * 4
    assert session.scalar(select(func.count()).select_from(Commenter)) == people


ANNA = "<wp:author><wp:author_id>1</wp:author_id><wp:author_login>anna</wp:author_login></wp:author>"


def test_the_blogs_own_authors_have_a_badge_that_a_name_does_not_give(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment(user_id="1"), wxr.comment(user_id="0")), people=ANNA)
    own, posing = wxr.stored(session)
    assert own.guest_name == posing.guest_name
    assert (own.role, own.commenter_id, posing.role) == (Role.OWNER, None, None)


@ENGINES
def test_an_authors_comments_go_to_the_account_that_the_operator_names(session: Session, load: Load) -> None:
    begin_write(session)
    account = Commenter(name="Anna here")
    session.add(account)
    session.commit()
    options = {"people": ANNA, "authors": {"anna": account.id, "nobody": account.id}}
    report = load(wxr.item(wxr.comment(user_id="1"), wxr.comment(user_id="0")), **options)
    own, posing = wxr.stored(session)
    assert (own.commenter_id, own.guest_name, own.guest_email, own.role) == (
        account.id,
        None,
        None,
        Role.OWNER,
    )
    assert (posing.commenter_id, posing.guest_name) == (None, "Anna")
    assert sorted(report.notes.values()) == [0, 1]


@pytest.mark.parametrize(
    ("fields", "name", "website"),
    [
        ({"author": "N" * 200}, "N" * 79 + "…", None),
        ({"author": "", "author_url": "javascript:alert(1)"}, None, None),
        ({"author": "a\u202eb\u200b", "author_url": "http://"}, "ab", None),
    ],
)
def test_details_the_validator_refuses_are_left_out_and_the_comment_stays(
    session: Session, load: Load, fields: dict[str, str], name: str | None, website: str | None
) -> None:
    load(wxr.item(wxr.comment(author_email="no address", **fields)))
    (comment,) = wxr.stored(session)
    assert (comment.guest_name, comment.guest_email, comment.guest_website) == (name, None, website)


@ENGINES
def test_a_second_run_changes_nothing(session: Session, load: Load) -> None:
    root = wxr.comment(number=1)
    items = [
        wxr.item(
            root, wxr.comment("Reply", parent=1), wxr.comment(type="pingback"), wxr.comment(approved="0")
        )
    ]
    items.append(wxr.item(wxr.comment(), link="http://blog.example/other/"))
    load(*items)
    before = dump(session)
    report = load(*items)
    assert dump(session) == before
    assert (report.threads_new, report.threads_existing, report.count(), report.already_there) == (0, 2, 0, 5)
    assert "Nothing new in this file." in report.lines()


@ENGINES
def test_a_dry_run_changes_nothing_and_says_what_a_run_would_do(
    session: Session, site: Site, load: Load
) -> None:
    pen_for(session, site, "/hello").write()
    session.commit()
    twice = wxr.comment(number=1)
    items = [
        wxr.item(twice, wxr.comment(parent=1), wxr.comment(type="trackback"), wxr.comment(" "), twice),
        wxr.item(wxr.comment(approved="trash"), wxr.comment(parent=1), link="http://old.example/1/"),
        wxr.item(twice, wxr.comment(parent=999), link="http://old.example/2/"),
        wxr.item(wxr.comment(), link="mailto:nobody", status="private"),
    ]
    before = dump(session)
    dry = load(*items, dry_run=True)
    assert dump(session) == before
    real = load(*items)
    assert dry.lines()[0] == "Dry run: nothing was changed."
    for name in (
        "threads_new",
        "threads_existing",
        "new",
        "already_there",
        "skipped",
        "notes",
        "moved",
        "read",
    ):
        assert getattr(dry, name) == getattr(real, name), name
    assert (real.threads_new, real.threads_existing, real.read) == (2, 1, 10)


def test_what_a_moderator_decided_since_outlives_the_next_run(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment(number=1)))
    begin_write(session)
    moderation_decisions.decide(session, wxr.stored(session)[0], Status.SPAM)
    session.commit()
    load(wxr.item(wxr.comment(number=1), wxr.comment("New", number=2)))
    assert [comment.status for comment in wxr.stored(session)] == [Status.SPAM, Status.APPROVED]


def test_pingbacks_and_trackbacks_are_kept_apart(session: Session, load: Load) -> None:
    report = load(
        wxr.item(
            wxr.comment(number=1),
            wxr.comment(type="pingback", parent=1, author="Elsewhere &laquo; A blog"),
            wxr.comment(type="trackback"),
            wxr.comment(type="pingback", approved="0"),
        )
    )
    _, ping, _, held = wxr.stored(session)
    assert (ping.kind, ping.shown, ping.parent_id) == (Kind.PINGBACK, True, None)
    assert ping.guest_name == "Elsewhere « A blog"
    assert not held.shown
    assert ping.thread.approved_count == 1
    assert [report.count(kind) for kind in Kind] == [1, 2, 1]


@ENGINES
def test_the_title_of_a_page_that_mentions_the_article_is_not_cut_at_a_names_length(
    session: Session, load: Load
) -> None:
    long = f"{'A title of many words ' * 8}&raquo; Blog"
    load(wxr.item(*(wxr.comment(author=long, type=kind) for kind in ("pingback", "webmention", ""))))
    *mentions, comment = wxr.stored(session)
    page = thread_pages.page(
        session, pen_for(session, comment.thread.site, "/hello").address, order=Order.OLDEST
    )
    whole = long.replace("&raquo;", "»")
    assert [view.name for view in page.mentions] == [whole, whole]
    assert [view.root.name for view in page.conversations] == [f"{long[:79].rstrip()}…"]
    assert [one.mention_title for one in mentions] == [whole, whole]


@pytest.mark.parametrize("fields", [{"status": "private"}, {"post_password": "enter"}])
def test_comments_on_an_article_the_public_could_not_read_are_held(
    session: Session, load: Load, fields: dict[str, str]
) -> None:
    report = load(wxr.item(wxr.comment(), wxr.comment(approved="trash"), **fields))
    assert [comment.status for comment in wxr.stored(session)] == [Status.HELD, Status.TRASH]
    assert [number for note, number in report.notes.items() if "password" in note] == [1]


@pytest.mark.parametrize(
    ("link", "blog", "to", "url"),
    [
        ("http://blog.example/a/?p=1#x", "http://blog.example", None, "https://blog.example/a/?p=1"),
        ("http://old.example/?p=12", "http://old.example", None, "https://blog.example/?p=12"),
        ("http://old.example/blog/a/", "http://old.example/blog", None, "https://blog.example/blog/a/"),
        ("http://old.example/blog/a/", "http://old.example/blog", "https://blog.example/n/", "https://blog.example/n/a/"),
        ("http://old.example/blog/a/", "http://old.example/blog", "https://blog.example", "https://blog.example/blog/a/"),
        ("http://old.example?p=1", "http://old.example", None, "https://blog.example/?p=1"),
        ("/a/", "http://old.example", None, "https://blog.example/a/"),
    ],
)  # fmt: skip
def test_threads_lie_where_readers_are_now(
    session: Session, load: Load, link: str, blog: str, to: str | None, url: str
) -> None:
    report = load(wxr.item(wxr.comment(), link=link), blog=blog, to=to)
    assert wxr.stored(session)[0].thread.url == url
    assert bool(report.moved) == ("old" in link)


def test_a_new_address_must_be_one_of_the_site(load: Load) -> None:
    with pytest.raises(TransferError, match=r"is not on this site, whose origins are https://blog\.example"):
        load(wxr.item(wxr.comment()), to="https://elsewhere.example")


def test_a_thread_that_readers_began_takes_title_and_age_of_its_article(
    session: Session, site: Site, load: Load
) -> None:
    pen = pen_for(session, site, "/hello")
    pen.write("written here")
    session.commit()
    load(wxr.item(wxr.comment("imported")))
    assert pen.thread.title == "Hello & welcome"
    assert pen.thread.created_at.year == 2012
    assert pen.thread.approved_count == 2


def test_the_reason_of_every_decision_is_logged(session: Session, load: Load) -> None:
    load(wxr.item(wxr.comment(), wxr.comment(approved="spam")))
    decisions = session.scalars(select(Decision).order_by(Decision.id)).all()
    assert [one.reasons[0]["reason"] for one in decisions] == [
        "Imported as approved from WordPress.",
        "Imported as spam from WordPress.",
    ]
    assert {one.created_at for one in decisions} == {wxr.TODAY}


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        (wxr.comment("x" * 100_001), "longer than 100,000 characters"),
        (wxr.comment("<script>x</script>"), "without any text"),
        (wxr.comment(type="order_note"), "of type “order_note”, which is not for readers"),
        (wxr.comment(number=""), "without a number of their own"),
    ],
)
def test_what_is_left_out_is_reported_with_its_reason(
    session: Session, load: Load, comment: str, reason: str
) -> None:
    report = load(wxr.item(comment))
    assert report.skipped == {reason: 1}
    assert f"  {reason}: 1" in report.lines()
    assert session.scalar(select(func.count()).select_from(Thread)) == 0


def test_a_time_is_taken_from_the_article_before_a_comment_is_left_out(session: Session, load: Load) -> None:
    never = {"date_gmt": "0000-00-00 00:00:00", "date": "0000-00-00 00:00:00"}
    report = load(
        wxr.item(wxr.comment(**never)),
        wxr.item(wxr.comment(**never), link="/other", post_date=never["date"], post_date_gmt=never["date"]),
    )
    assert wxr.stored(session)[0].created_at == datetime(2012, 3, 1, 8, tzinfo=UTC)
    assert report.skipped == {"without a time": 1}
