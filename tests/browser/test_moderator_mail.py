"""Mail to moderators and about new articles, with a real browser and a real mail server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.subscriptions import announcements
from commentsvc.domain.subscriptions.announcements import Article
from commentsvc.models import Policy, Site, Status, now
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, frame, post, stored
from tests.support.subscribers import Postman, link, links, part, postman


@pytest.fixture
def mail(service: Service) -> Iterator[Postman]:
    with postman(service.app) as one:
        yield one


def prepare(service: Service, **settings: object) -> str:
    """Change the site's settings; return the secret of a link that signs its owner in."""
    with service.writing() as session:
        begin_write(session)
        site = session.get_one(Site, 1)
        for name, value in settings.items():
            setattr(site, name, value)
        session.commit()
        begin_write(session)
        owner = accounts.operator(session)
        ticket = accounts.issue_link(session, owner, at=now())
        session.commit()
    return ticket


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_moderator_asks_for_mail_and_decides_by_its_links(
    page: Page, service: Service, blog: Blog, mail: Postman, theme: Literal["light", "dark"]
) -> None:
    ticket = prepare(service, policy=Policy.HOLD_ALL)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{service.url}/admin/sign-in/{ticket}")
    page.get_by_role("button").first.click()
    page.goto(f"{service.url}/admin/sites/1/mail")
    page.get_by_label("Each held comment at once").check()
    page.get_by_label("Your address").fill("owner@mail.example")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This address is not confirmed yet")).to_be_visible()
    assert serious_violations(page) == []
    (asking,) = mail.work()
    page.goto(service.url + link(asking, "confirm"))
    page.get_by_role("button", name="Confirm").click()

    blog.pages["/"] = article(service)
    page.goto(blog.url())
    frame(page).get_by_label("Your comment").click()
    fill_in(frame(page), "May I?")
    post(frame(page))
    expect(frame(page).locator(".posted")).to_be_visible()
    (asking,) = mail.work()
    (reply,) = {one for one in links(asking) if one.endswith("/reply")}
    for action in ("reply", "approve"):
        page.goto(reply.removesuffix("reply") + action)
        expect(page.get_by_text("May I?")).to_be_visible()
        assert serious_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert stored(service)[0].status is Status.HELD
    page.goto(reply)
    page.get_by_label("Your reply").fill("You may.")
    page.get_by_role("button", name="Approve and reply").click()
    expect(page.get_by_text("your reply is posted")).to_be_visible()
    assert [comment.status for comment in stored(service)] == [Status.APPROVED] * 2
    page.goto(reply)
    expect(page.get_by_text("has decided before")).to_be_visible()
    assert urlsplit(page.url).path.endswith("/reply")


def test_a_reader_asks_for_new_articles_with_the_second_box(
    page: Page, service: Service, blog: Blog, mail: Postman
) -> None:
    prepare(service, post_mail=True)
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    inside = frame(page)
    inside.get_by_label("Your comment").click()
    box = inside.get_by_role("checkbox", name="Notify me of new posts via email.")
    expect(box).not_to_be_checked()
    fill_in(inside, "I like it here")
    box.check()
    post(inside)
    expect(inside.locator(".posted")).to_contain_text("please open the link that we mail to it")
    (asking,) = mail.work()
    page.goto(service.url + link(asking, "confirm"))
    expect(page.get_by_text("New articles of")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Confirmed")).to_be_visible()
    with service.writing() as session:
        begin_write(session)
        announcements.announce(session, 1, [Article("Swifts", blog.url("/swifts"))], at=now())
        session.commit()
    (news,) = mail.work(now() + timedelta(minutes=1))
    assert news["Subject"] == "Swifts"
    assert blog.url("/swifts") in part(news)
