"""A guest proves an e-mail address in the form, in a real browser, with script and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.cli.background_work import sending
from commentsvc.db.session import db
from commentsvc.domain.notifications import outbox
from commentsvc.domain.proofs import address_codes
from commentsvc.models import AddressCode, AddressProof, Policy, now
from commentsvc.web.context import services_of
from commentsvc.web.thread import address_claims, proving
from tests.browser.test_accessibility import dressed, on_its_ground
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import change, fill_in, fits, held, inside, loaded_form, post, stored
from tests.support.mail_server import Mailbox, mail_server

ADDRESS = "grace@mail.example"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """Where the service's mail arrives."""
    with mail_server() as box:
        yield box


@pytest.fixture
def service_variables(box: Mailbox) -> Callable[[str], dict[str, str]]:
    return lambda url: {"COMMENTSVC_SMTP_URL": box.url}


def mailed_code(service: Service, box: Mailbox) -> str:
    """Deliver what waits, and return the code in the latest mail."""
    settings = services_of(service.app).settings
    with sending(settings) as send, service.app.app_context(), Session(db.engine) as session:
        while outbox.deliver(session, send, at=now()):
            pass
    return str(box.mails[-1].get_content()[:6])


def refused(complaints: list[str]) -> None:
    """Forget what the browser's console says of wrong codes, and of nothing else."""
    assert complaints
    complaints[:] = [complaint for complaint in complaints if "status of 422" not in complaint]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def opened(page: Page, service: Service, blog: Blog, theme: str = "light") -> Frame:
    change(service, blog, policy=Policy.HOLD_FIRST)
    blog.pages["/"] = dressed(service, theme)
    page.goto(blog.url())
    frame = inside(page)
    frame.get_by_label("Your comment").click()
    loaded_form(frame)
    return frame


def test_a_proved_guest_need_not_wait(
    page: Page, service: Service, blog: Blog, box: Mailbox, complaints: list[str]
) -> None:
    frame = opened(page, service, blog)
    ask = frame.get_by_role("button", name="Prove this address")
    frame.get_by_role("textbox", name="Email").fill("grace@")
    expect(ask).to_be_hidden()
    fill_in(frame, "First", email=ADDRESS)
    ask.click()
    expect(frame.get_by_text(proving.ASKED)).to_be_visible()
    field = frame.get_by_label("Six-digit code")
    expect(field).to_be_focused()
    fits(frame)
    code = mailed_code(service, box)
    field.fill(wrong(code))
    check = frame.get_by_role("button", name="Check the code")
    check.click()
    expect(frame.get_by_text(address_claims.WRONG)).to_be_visible()
    expect(field).to_be_focused()
    field.fill(code)
    expect(frame.get_by_text(address_claims.WRONG)).to_be_hidden()
    check.click()
    expect(frame.get_by_text(proving.PROVED)).to_be_visible()
    expect(field).to_be_hidden()
    assert frame.get_by_label("Your comment").input_value() == "First"
    post(frame)
    expect(frame.get_by_text("Posted. Thank you.")).to_be_visible()
    page.reload()
    frame = inside(page)  # the tab still has the browser's key
    fill_in(frame, "Second", email=ADDRESS)
    post(frame)
    expect(frame.get_by_text("Posted. Thank you.")).to_be_visible()
    assert held(service) == []
    refused(complaints)


def test_the_code_may_be_left_to_the_comments_own_button(
    page: Page, service: Service, blog: Blog, box: Mailbox, complaints: list[str]
) -> None:
    frame = opened(page, service, blog)
    fill_in(frame, "First", email=ADDRESS)
    frame.get_by_role("button", name="Prove this address").click()
    field = frame.get_by_label("Six-digit code")
    expect(field).to_be_visible()
    code = mailed_code(service, box)
    field.fill(wrong(code))
    post(frame)
    expect(frame.get_by_text(address_claims.WRONG)).to_be_visible()
    field.fill(code)
    post(frame)
    expect(frame.get_by_text("Posted. Thank you.")).to_be_visible()
    expect(field).to_be_hidden()
    assert [(comment.source, comment.proved) for comment in stored(service)] == [("First", True)]
    refused(complaints)


def test_five_wrong_codes_or_ten_minutes_are_the_end(
    page: Page, service: Service, blog: Blog, box: Mailbox, complaints: list[str]
) -> None:
    frame = opened(page, service, blog)
    fill_in(frame, "First", email=ADDRESS)
    frame.get_by_role("button", name="Prove this address").click()
    field, check = frame.get_by_label("Six-digit code"), frame.get_by_role("button", name="Check the code")
    expect(field).to_be_visible()
    code = mailed_code(service, box)
    for typed in [wrong(code)] * address_codes.TRIES + [code]:
        field.fill(typed)
        expect(frame.get_by_text(address_claims.WRONG)).to_be_hidden()
        check.click()
        expect(frame.get_by_text(address_claims.WRONG)).to_be_visible()
    # Another address, whose code is late.
    frame.get_by_role("textbox", name="Email").fill("late@mail.example")
    expect(field).to_be_hidden()
    frame.get_by_role("button", name="Prove this address").click()
    expect(field).to_be_visible()
    with service.writing() as session:
        session.execute(update(AddressCode).values(sent_at=now() - address_codes.LIFE))
        session.commit()
    field.fill(mailed_code(service, box))
    check.click()
    expect(frame.get_by_text(address_claims.WRONG)).to_be_visible()
    with service.writing() as session:
        assert session.scalars(select(AddressProof)).all() == []
    field.fill("")
    post(frame)
    expect(frame.get_by_text("Your comment is awaiting moderation.").first).to_be_visible()
    refused(complaints)


def test_it_works_where_the_browser_stores_nothing(
    context: BrowserContext, service: Service, blog: Blog, box: Mailbox
) -> None:
    for storage in ("localStorage", "sessionStorage"):
        context.add_init_script(
            f"Object.defineProperty(window, '{storage}', {{ get() {{ throw new DOMException('', 'SecurityError') }} }})"
        )
    page = context.new_page()
    frame = opened(page, service, blog)
    fill_in(frame, "First", email=ADDRESS)
    frame.get_by_role("button", name="Prove this address").click()
    expect(frame.get_by_label("Six-digit code")).to_be_visible()
    frame.get_by_label("Six-digit code").fill(mailed_code(service, box))
    post(frame)
    expect(frame.get_by_text("Posted. Thank you.")).to_be_visible()
    assert [comment.proved for comment in stored(service)] == [True]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_form_with_a_code_keeps_nobody_out(
    page: Page, service: Service, blog: Blog, box: Mailbox, complaints: list[str], theme: str
) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    frame = opened(page, service, blog, theme)
    fill_in(frame, "First", email=ADDRESS)
    frame.get_by_role("button", name="Prove this address").click()
    frame.get_by_label("Six-digit code").fill("000000")
    frame.get_by_role("button", name="Check the code").click()
    expect(frame.get_by_text(address_claims.WRONG)).to_be_visible()
    expect(frame.get_by_label("Six-digit code")).to_have_attribute("aria-invalid", "true")
    assert frame.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert serious_violations(on_its_ground(frame, theme)) == []
    refused(complaints)


@pytest.mark.parametrize("door", ["/thread", "/embed"])
def test_without_script_the_form_comes_back_with_everything_typed(
    chromium: Browser, service: Service, blog: Blog, box: Mailbox, door: str
) -> None:
    change(service, blog, policy=Policy.HOLD_FIRST)
    context = chromium.new_context(locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(10_000)
    plain = context.new_page()
    plain.goto(f"{service.url}{door}?url={quote(blog.url())}")
    fill_in(plain, "Without any script", email=ADDRESS)
    plain.get_by_role("button", name="Prove my address").click()
    expect(plain.get_by_text(proving.ASKED)).to_be_visible()
    code = mailed_code(service, box)
    plain.get_by_label("Six-digit code").fill(wrong(code))
    plain.get_by_role("button", name="Check the code").click()
    expect(plain.get_by_text(address_claims.WRONG)).to_be_visible()
    plain.get_by_label("Six-digit code").fill(code)
    plain.get_by_role("button", name="Check the code").click()
    expect(plain.get_by_text(proving.PROVED)).to_be_visible()
    expect(plain.get_by_label("Six-digit code")).to_be_hidden()
    expect(plain.get_by_role("button", name="Prove my address")).to_be_hidden()
    expect(plain.get_by_label("Your comment")).to_have_value("Without any script")
    plain.get_by_role("button", name="Preview").click()
    expect(plain.locator("#preview")).to_have_text("Without any script")
    post(plain)
    expect(plain.get_by_text("Your comment is posted.")).to_be_visible()
    assert [comment.proved for comment in stored(service)] == [True]
    context.close()
