"""Which thread a page means, and whether it takes comments."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.errors import BadAddressError, ThreadClosedError, UnknownOriginError
from commentsvc.models import Policy, Site, Thread
from tests.conftest import BLOG
from tests.support.comment_builders import NOON, article

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def two_origins(session: Session, site: Site) -> Site:
    sites.set_origins(session, site, [BLOG, "http://blog.example", "https://www.blog.example"])
    session.flush()
    return site


def test_a_page_of_no_site_has_no_thread(session: Session, site: Site) -> None:
    with pytest.raises(UnknownOriginError) as caught:
        threads.locate(session, url="https://other.example/a")
    assert caught.value.origin == "https://other.example"


def test_the_same_origin_on_another_port_is_another_origin(session: Session, site: Site) -> None:
    with pytest.raises(UnknownOriginError):
        threads.locate(session, url="https://blog.example:8443/a")


def test_a_subdomain_is_another_origin(session: Session, site: Site) -> None:
    with pytest.raises(UnknownOriginError):
        threads.locate(session, url="https://evil.blog.example/a")


def test_http_and_https_share_a_thread(session: Session, two_origins: Site) -> None:
    one = threads.locate(session, url="https://blog.example/a")
    other = threads.locate(session, url="http://blog.example/a/")
    assert one.key == other.key


def test_what_a_page_says_of_itself_counts(session: Session, site: Site) -> None:
    result = threads.locate(session, url=f"{BLOG}/amp/a?session=1", canonical=f"{BLOG}/a")
    assert result.url == f"{BLOG}/a"


@pytest.mark.parametrize(
    "canonical",
    ["https://other.example/a", "javascript:alert(1)", "/a", "nonsense", "https://blog.example\\@x"],
)
def test_what_a_page_says_of_itself_counts_only_on_its_own_site(
    session: Session, site: Site, canonical: str
) -> None:
    result = threads.locate(session, url=f"{BLOG}/a", canonical=canonical)
    assert result.url == f"{BLOG}/a"


def test_a_canonical_address_does_not_reach_into_another_site(session: Session, site: Site) -> None:
    sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    result = threads.locate(session, url=f"{BLOG}/a", canonical="https://other.example/b")
    assert result.site.id == site.id
    assert result.url == f"{BLOG}/a"


def test_a_name_of_its_own_is_stronger_than_any_address(session: Session, site: Site) -> None:
    one = threads.locate(session, url=f"{BLOG}/a", page_id="post-1")
    other = threads.locate(session, url=f"{BLOG}/b", canonical=f"{BLOG}/c", page_id="post-1")
    assert one.key == other.key != threads.locate(session, url=f"{BLOG}/a").key


@pytest.mark.parametrize("page_id", ["x" * 301, "a\x00b", "a\nb", "a\u202eb", "\ud800"])
def test_a_name_of_odd_characters_is_refused(session: Session, site: Site, page_id: str) -> None:
    with pytest.raises(BadAddressError):
        threads.locate(session, url=f"{BLOG}/a", page_id=page_id)


def test_the_longest_names_are_stored(session: Session, site: Site) -> None:
    for page_id in ("x" * 300, "\U0001f600" * 300):
        address = threads.address_on(site, f"{BLOG}/a", page_id=page_id)
        threads.find_or_create(session, address, title="T" * 999, at=NOON)
        assert threads.find(session, address) is not None


def test_the_longest_address_is_stored(session: Session, site: Site) -> None:
    address = threads.address_on(site, f"{BLOG}/{'x' * 1900}")
    assert threads.find_or_create(session, address, title=None, at=NOON).url == address.url


def test_two_sites_may_use_the_same_name(session: Session, site: Site) -> None:
    other = sites.add(session, "Other", ["https://other.example"], owner_id=accounts.operator(session).id)
    one = threads.find_or_create(
        session, threads.address_on(site, f"{BLOG}/a", page_id="1"), title=None, at=NOON
    )
    two = threads.find_or_create(
        session, threads.address_on(other, "https://other.example/a", page_id="1"), title=None, at=NOON
    )
    assert one.id != two.id


def test_only_a_new_thread_takes_the_title(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.write(title="First\n title\x00")
    pen.write(title="Second")
    assert pen.thread.title == "First title"


def test_asking_for_a_thread_makes_none(session: Session, site: Site) -> None:
    assert threads.find(session, threads.locate(session, url=f"{BLOG}/a")) is None
    assert session.scalar(select(func.count()).select_from(Thread)) == 0


def test_a_closed_site_takes_no_comment(session: Session, site: Site) -> None:
    site.policy = Policy.CLOSED
    session.flush()
    with pytest.raises(ThreadClosedError, match=r"^Comments are closed\.$"):
        article(session, site).write()
    assert session.scalar(select(func.count()).select_from(Thread)) == 0


@pytest.mark.parametrize(
    ("days", "words"), [(1, "Comments closed after one day."), (14, "Comments closed after 14 days.")]
)
def test_an_old_thread_takes_no_comment(session: Session, site: Site, days: int, words: str) -> None:
    site.close_after_days = days
    pen = article(session, site)
    pen.write()
    pen.at += timedelta(days=days) - timedelta(minutes=2)
    pen.write()
    pen.at += timedelta(minutes=2)
    with pytest.raises(ThreadClosedError) as caught:
        pen.write()
    assert str(caught.value) == words


def test_the_first_comment_comes_even_where_threads_close(session: Session, site: Site) -> None:
    site.close_after_days = 1
    assert article(session, site).write().id
