"""What moderators see of a surge, and what they can do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.domain.surge import episodes
from commentsvc.domain.surge.episodes import CALM, SurgeStep
from commentsvc.models import Action, Comment, Pressure, Site, Status, now
from tests.conftest import BLOG
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.guest_client import Elements

queue_of_site = open_queue
ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
TITLE = "</b><script>alert(1)</script>"


@pytest.fixture(name="it")
def queue_under_pressure(queue_of_site: AdminQueue) -> AdminQueue:
    """A site with one article under pressure."""
    it = queue_of_site
    comment = it.write("Hello", title=TITLE, status=Status.APPROVED)
    press(it, it.session.get_one(Comment, comment).thread_id)
    return it


def press(
    it: AdminQueue, thread_id: int | None, *, step: SurgeStep = SurgeStep.LINKS, ago: timedelta = CALM / 2
) -> None:
    begin_write(it.session)
    at = now() - ago
    row = Pressure(
        site_id=it.site_id, thread_id=thread_id, step=step, reason="25 came.", began_at=at, hot_at=at
    )
    it.session.add(row)
    it.session.commit()


def spell(it: AdminQueue) -> Pressure:
    it.session.rollback()
    return it.session.scalars(select(Pressure)).one()


def banner(it: AdminQueue, path: str = "/admin") -> str:
    page = it.owner.page(path)
    assert "<script>alert" not in page
    return Elements(page.partition('class="notice pressure"')[2].partition("</section>")[0]).text


def by_hand(it: AdminQueue, do: str) -> int:
    return it.owner.post(f"/admin/sites/{it.site_id}/pressure/{spell(it).id}", {"do": do}).status_code


def last_action(it: AdminQueue) -> Action:
    it.session.rollback()
    return it.session.scalars(select(Action).order_by(Action.id.desc()).limit(1)).one()


@ENGINES
def test_every_page_of_the_site_says_where_why_and_what_waits(it: AdminQueue) -> None:
    for path in ("/admin", f"/admin/sites/{it.site_id}/statistics", f"/admin/sites/{it.site_id}/rules"):
        text = banner(it, path)
        assert f"Comments are pouring in on {TITLE} . It began 5 minutes ago : 25 came." in text
        assert "Comments with links are held. This ends by itself when the surge is over." in text


def test_of_the_whole_site_and_of_several_articles(it: AdminQueue) -> None:
    press(it, None, step=SurgeStep.ALL)
    page = it.owner.page("/admin")
    assert page.count('class="notice pressure"') == 2
    assert page.index("on the whole site") < page.index("alert(1)")
    assert "All comments are held." in page


def test_it_is_over_by_the_clock_though_nobody_wrote(it: AdminQueue) -> None:
    begin_write(it.session)
    it.session.scalars(select(Pressure)).one().hot_at = now() - CALM
    it.session.commit()
    assert banner(it) == ""
    assert spell(it).ended_at is None  # looking changes nothing
    assert episodes.close_ended(it.session, at=now()) == 1
    log = it.owner.page(f"/admin/sites/{it.site_id}/activity")
    assert 'The service</bdi></b> <span lang="en" dir="auto">The surge on “&lt;/b&gt;&lt;script&gt;' in log


def test_the_link_leads_to_what_waits_for_it(it: AdminQueue) -> None:
    thread = spell(it).thread_id
    link = f"/admin?status=held&amp;site={it.site_id}&amp;reason=pressure&amp;article={thread}"
    page = it.owner.page("/admin")
    result = Elements(page).all("a")
    wanted = {"status=held", "reason=pressure", f"article={thread}", f"site={it.site_id}"}
    assert any(wanted == set(str(a["href"]).partition("?")[2].split("&")) for a in result), link


@ENGINES
def test_a_moderator_takes_it_away_and_puts_it_back(it: AdminQueue) -> None:
    assert by_hand(it, "ease") == 303
    assert "Comments are no longer held because of this" in banner(it)
    assert episodes.effective_step(spell(it), now()) is SurgeStep.NONE
    assert (last_action(it).kind, last_action(it).moderator_id is None) == ("pressure.ease", False)
    assert by_hand(it, "hold") == 303
    assert "All comments are held. This ends by itself" in banner(it)
    assert episodes.effective_step(spell(it), now()) is SurgeStep.ALL
    assert last_action(it).summary.startswith("Held all new comments on “")


def test_what_is_over_meanwhile_is_not_begun_again(it: AdminQueue) -> None:
    begin_write(it.session)
    it.session.scalars(select(Pressure)).one().hot_at = now() - CALM
    it.session.commit()
    assert by_hand(it, "hold") == 303
    assert spell(it).ended_at is not None
    assert "This surge is already over." in it.owner.page("/admin")


@ENGINES
def test_the_owner_switches_the_valve_off_and_on(it: AdminQueue) -> None:
    rules = f"/admin/sites/{it.site_id}/rules"
    assert it.owner.post(f"{rules}/valve", {"do": "off"}).status_code == 303
    assert spell(it).ended_at is not None
    assert it.session.get_one(Site, it.site_id).valve is False
    assert banner(it, rules) == ""
    assert last_action(it).summary == "Turned surge protection off."
    it.owner.post(f"{rules}/valve", {"do": "on"})
    it.session.rollback()
    assert it.session.get_one(Site, it.site_id).valve is True


def test_nobody_else_can(it: AdminQueue) -> None:
    moderator = it.moderator("Mia")
    path = f"/admin/sites/{it.site_id}/pressure/{spell(it).id}"
    assert moderator.post(f"/admin/sites/{it.site_id}/rules/valve", {"do": "off"}).status_code == 404
    assert moderator.post(path, {"do": "ease"}, origin=BLOG).status_code == 403
    assert moderator.post(path, {"do": "ease"}, token=None).status_code == 400
    assert moderator.get(path).status_code == 405
    assert moderator.post(path, {"do": "other"}).status_code == 400
    assert spell(it).eased_at is None
    begin_write(it.session)
    other = sites.add(
        it.session, "Other", ["https://other.example"], owner_id=accounts.operator(it.session).id
    )
    it.session.commit()
    assert (
        it.owner.post(path.replace(f"sites/{it.site_id}", f"sites/{other.id}"), {"do": "ease"}).status_code
        == 404
    )
    assert moderator.post(path, {"do": "ease"}).status_code == 303
