"""Takes the pictures in this folder from the demonstration: `python docs/screenshots.py`, with `make test`'s .venv.

`python docs/screenshots.py admin` takes those of the admin view alone, and `… readers` the others.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.support import chromium  # noqa: E402
from tests.support.browser import SWITCHES  # noqa: E402

BLOG = "http://localhost:8601"
DESKTOP, PHONE = (1200, 1500), (360, 780)


@contextmanager
def demo() -> Iterator[str]:
    """Run the demonstration; yields the one-time link to the admin view."""
    command = [sys.executable, "-u", "-m", "commentsvc", "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = next(found[0] for line in process.stdout if (found := re.search(r"http\S+/sign-in/\S+", line)))
        next(line for line in process.stdout if "Ctrl+C" in line)
        try:
            yield link
        finally:
            process.terminate()


def keep(page: Page, name: str) -> None:
    """Write a picture with few colours, as most of it is paper."""
    page.wait_for_timeout(600)  # web fonts, pictures and transitions have no event of their own
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)


def article(
    browser: Browser, path: str, *, scheme: str, size: tuple[int, int], look: str = ""
) -> tuple[Page, FrameLocator]:
    """Open an article of the blog with its thread at the top of the window."""
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": size[0], "height": size[1]},
        locale="en-GB",
    )
    page = context.new_page()
    set_look = f"document.getElementById('comments').dataset.look = '{look}'"
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {set_look} }})")
    page.goto(BLOG + path)
    place = page.locator("comment-thread").first
    place.scroll_into_view_if_needed()
    frame = page.frame_locator("comment-thread iframe").first
    frame.locator(".comment").first.wait_for()
    page.wait_for_timeout(500)
    above = size[1] // 4
    page.evaluate(
        "above => scrollTo(0, scrollY + document.querySelector('#comments').getBoundingClientRect().top - above)",
        above,
    )
    return page, frame


def readers(browser: Browser) -> None:
    """What readers see."""
    for scheme in ("light", "dark"):
        for place, size in (("article", DESKTOP), ("phone", PHONE)):
            page, _ = article(browser, "/comment-section/", scheme=scheme, size=size)
            keep(page, f"{place}-{scheme}")
            page, frame = article(browser, "/comment-section/", scheme=scheme, size=size, look="cards")
            frame.locator("#text").fill("I was one of the two. **Shimmer inks** are fine.")
            frame.get_by_role("toolbar").wait_for()
            keep(page, f"cards-{scheme}" if place == "article" else f"cards-{place}-{scheme}")
    page, frame = article(browser, "/comment-section/", scheme="light", size=(900, 900))
    frame.locator("#text").fill("This is the one I have been waiting for.")
    frame.get_by_role("button", name="Post Comment").click()
    frame.locator("#email-error:not([hidden])").wait_for()
    keep(page, "form-with-faults")
    page, frame = article(browser, "/by-hand/", scheme="light", size=DESKTOP)
    keep(page, "long-thread")


def moderators(browser: Browser, link: str) -> None:
    """What moderators see, each page in light and in the dark."""
    page = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB").new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin*")
    admin = page.url.split("/admin")[0] + "/admin"
    page.goto(f"{admin}?status=reported")
    show(page, "reports")
    page.locator("a.when").first.click()
    show(page, "why")
    page.goto(f"{admin}?status=held")
    page.get_by_role("link", name="Context").first.click()
    show(page, "queue")
    phone(page, f"{admin}?status=held", "queue-phone")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Rules").click()
    page.get_by_label("Words that hold a comment").fill("handbag*")
    page.get_by_role("button", name="Preview").click()
    show(page, "rules", height=1150)
    for name in ("Team", "Embed code", "Danger", "People", "Statistics", "Activity"):
        page.get_by_role("link", name=name, exact=True).click()
        show(page, name.lower().replace(" ", "-"))
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Bans").click()
    show(page, "bans")
    page.get_by_role("link", name="People", exact=True).first.click()
    page.get_by_role("searchbox").fill("joss")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Joss").first.click()
    show(page, "person")
    page.get_by_role("link", name="Articles", exact=True).click()
    show(page, "articles")
    page.get_by_role("link", name="Find split threads").click()
    page.locator("main a[href*='/merge?into=']").first.click()
    show(page, "merge")


def phone(page: Page, url: str, name: str) -> None:
    """Take a list on a phone, with the menu of its first comment open."""
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.emulate_media(color_scheme="light")
    page.goto(url)
    page.locator("button.more").first.click()
    keep(page, name)
    page.keyboard.press("Escape")


def show(page: Page, name: str, *, height: int = 900) -> None:
    """Take a page in light and in the dark."""
    page.set_viewport_size({"width": 1200, "height": height})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        keep(page, f"{name}-{scheme}")


def main() -> None:
    with demo() as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=[*SWITCHES, "--no-sandbox"]
        )
        if "admin" not in sys.argv:
            readers(browser)
        if "readers" not in sys.argv:
            moderators(browser, link)
        browser.close()


if __name__ == "__main__":
    main()
