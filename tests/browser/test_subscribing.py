"""Mail about comments, with a real browser and a real mail server: ask, confirm, get an answer, stop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from commentsvc.models import now
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, frame, post, stored, write
from tests.support.subscribers import Postman, link, part, postman


@pytest.fixture
def mail(service: Service) -> Iterator[Postman]:
    with postman(service.app) as one:
        yield one


def test_a_reader_asks_confirms_hears_of_an_answer_and_stops_by_one_click(
    page: Page, service: Service, blog: Blog, mail: Postman
) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    inside = frame(page)
    inside.get_by_label("Your comment").click()
    box = inside.get_by_role("checkbox", name="Notify me of new comments via email.")
    expect(box).not_to_be_checked()
    fill_in(inside, "A question")
    box.check()
    inside.get_by_label("Which comments").select_option("replies")
    post(inside)
    expect(inside.locator(".posted")).to_contain_text("please open the link that we mail to it")

    (asking,) = mail.work()
    page.goto(service.url + link(asking, "confirm"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Confirmed")).to_be_visible()

    first = stored(service)[0].id
    write(service, blog, "An answer", parent=first)
    (answer,) = mail.work(now() + timedelta(minutes=5))
    assert "Ada answered you" in part(answer)
    one_click = service.app.test_client().post(
        link(answer, "stop"), base_url=service.url, data={"List-Unsubscribe": "One-Click"}
    )
    assert one_click.status_code == 200
    page.goto(service.url + link(answer, "stop"))
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It goes on as before.")).to_be_visible()
    page.get_by_role("button", name="Stop mail number 1").click()
    expect(page.get_by_text("Nothing: you get no mail from here.")).to_be_visible()
    write(service, blog, "Another answer", parent=first, name="Ben")
    assert mail.work(now() + timedelta(hours=1)) == []


def test_it_works_without_script_and_with_every_cookie_blocked(
    chromium: Browser, service: Service, blog: Blog, mail: Postman
) -> None:
    context = chromium.new_context(locale="en-GB", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/thread?url={quote(blog.url())}")
    fill_in(page, "A question")
    which = page.get_by_label("Which comments")
    expect(which).to_be_hidden()  # nothing to choose for those who want no mail
    page.get_by_role("checkbox", name="Notify me of new comments via email.").check()
    expect(which).to_be_visible()
    post(page)
    expect(page.get_by_text("please open the link that we mail to it")).to_be_visible()
    (asking,) = mail.work()
    page.goto(service.url + link(asking, "confirm"))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="All your mail from here").click()
    page.get_by_role("button", name="Once a day").click()
    expect(page.get_by_text("Sent once a day.")).to_be_visible()
    page.get_by_role("button", name="Stop everything").click()
    expect(page.get_by_text("You get no more mail from here.")).to_be_visible()
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_form_and_the_pages_of_mails_keep_nobody_out(
    page: Page, service: Service, blog: Blog, mail: Postman, theme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{service.url}/thread?url={quote(blog.url())}")
    fill_in(page.main_frame, "A question")
    page.get_by_role("checkbox", name="Notify me of new comments via email.").check()
    assert serious_violations(page) == []
    post(page.main_frame)
    expect(page.locator(".posted")).to_be_visible()
    (asking,) = mail.work()
    page.goto(service.url + link(asking, "confirm"))
    assert serious_violations(page) == []
    page.get_by_role("button", name="Confirm").click()
    assert serious_violations(page) == []
    token = mail.rows()[0].token
    for path in (f"/mail/stop/{token}", f"/mail/stop-site/{token}", f"/mail/list/{token}"):
        page.goto(service.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert serious_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
