"""Count the clicks of ten tasks of an owner in the admin view, in the demonstration's data.

python -m bench.admin_clicks              this revision
python -m bench.admin_clicks --write      and keep the table in docs/admin.md, with the counts of WordPress 6.1

A click is a press of the pointer on a link, a button or a box. Typing is not counted, nor is the
way to the admin view. Each task begins at the queue, as one finds it after signing in, and ends when the page says so.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.support import chromium

DOCUMENT = Path(__file__).parent.parent / "docs/admin.md"
BEGIN, END = "<!-- clicks -->\n", "<!-- /clicks -->\n"
SWITCHES = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


class Owner:
    """The owner at the admin view, whose clicks are counted."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def link(self, name: str, *, within: Locator | None = None) -> None:
        self.click((within or self.page).get_by_role("link", name=name).first)

    def button(self, name: str, *, within: Locator | None = None) -> None:
        self.click((within or self.page).get_by_role("button", name=name).first)

    @property
    def side(self) -> Locator:
        return self.page.locator(".side")

    def item(self, name: str) -> Locator:
        return self.page.locator(".item").filter(has=self.page.get_by_role("heading", name=name))

    def says(self, words: str) -> None:
        expect(self.page.locator(".toast")).to_contain_text(words)


def approve_three(owner: Owner) -> None:
    for name in ("Petra", "Bram", "lda"):
        owner.click(owner.item(name).get_by_role("checkbox"))
    owner.button("Approve", within=owner.page.locator("#bulk"))
    owner.says("Approved: 3 comments.")


def ban_for_a_week(owner: Owner) -> None:
    owner.link("lda", within=owner.item("lda"))
    owner.link("Ban lda")
    owner.page.get_by_label("Reason").fill("Advertises a book.")
    owner.button("Ban")
    owner.says("Banned")


def find_a_comment(owner: Owner) -> None:
    owner.link("Approved", within=owner.side)
    owner.click(owner.page.get_by_role("searchbox"))
    owner.page.keyboard.type("rivets")
    owner.button("Search")
    expect(owner.item("Yuki")).to_be_visible()


def change_a_rule(owner: Owner) -> None:
    owner.link("Settings")
    owner.link("Rules")
    owner.page.get_by_label("Most links").fill("4")
    if not owner.page.get_by_role(
        "button", name="Save"
    ).count():  # earlier revisions save only what was previewed
        owner.button("Preview")
    owner.button("Save")
    owner.says("The rules are saved.")


def add_an_origin(owner: Owner) -> None:
    owner.link("Settings")
    origins = owner.page.get_by_label("Origins")
    origins.fill(f"{origins.input_value()}\nhttps://www.margin.example")
    owner.button("Save")
    owner.says("Saved.")


def invite_somebody(owner: Owner) -> None:
    if not owner.page.get_by_role("link", name="Team").count():
        owner.link("Settings")
    owner.link("Team")
    owner.button("Create an invitation link")
    expect(owner.page.get_by_label("The invitation.")).to_have_value(re.compile("http"))


def see_why_held(owner: Owner) -> None:
    expect(owner.item("Ilse")).to_contain_text("It has 3 links")


def close_an_article(owner: Owner) -> None:
    owner.link("Articles", within=owner.side)
    owner.link("A question for Friday")
    owner.click(owner.page.get_by_label("Closed: read-only"))
    owner.button("Save")
    owner.says("closed")


def answer(owner: Owner) -> None:
    item = owner.item("Ilse")
    owner.click(item.get_by_role("link", name="Reply").or_(item.get_by_role("button", name="Reply")).first)
    owner.page.get_by_label("Your reply").first.fill("Thank you, I will read all three.")
    owner.button("Approve and reply")
    owner.says("repl")


def get_the_snippet(owner: Owner) -> None:
    owner.link("Settings")
    owner.link("Embed code")
    owner.click(owner.page.get_by_role("button", name=re.compile("Copy.*The two lines")))
    expect(owner.page.get_by_role("button", name=re.compile("Copied.*The two lines"))).to_be_visible()


@dataclass(frozen=True)
class Task:
    """A task, and the clicks it took elsewhere."""

    words: str
    do: Callable[[Owner], None]
    before: str
    """In commit c4dba20, counted by this file."""
    wordpress: str = "-"
    """In WordPress 6.1 without plugins, counted by hand; a dash where nobody counted."""


TASKS = (
    Task("See why a comment is held", see_why_held, "0", "not shown"),
    Task("Ban one person for a week", ban_for_a_week, "3", "not there"),
    Task("Find a comment", find_a_comment, "3"),
    Task("Change a rule", change_a_rule, "4"),
    Task("Add an origin", add_an_origin, "2", "not needed"),
    Task("Invite somebody", invite_somebody, "2"),
    Task("Close an article", close_an_article, "4"),
    Task("Answer a held comment", answer, "2", "2"),
    Task("Get the snippet", get_the_snippet, "not there", "not needed"),
    Task("Approve three", approve_three, "4", "5"),
)
"""In an order in which none is in the way of a later one."""


@contextmanager
def demo() -> Iterator[str]:
    """Run the demonstration; yields the one-time link to the admin view."""
    command = [sys.executable, "-u", "-m", "commentsvc", "demo", "--port", "8640", "--blog-port", "8650"]
    command += ["--login-port", "8660"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        lines = iter(process.stdout or ())
        link = next(found[0] for line in lines if (found := re.search(r"http\S+/sign-in/\S+", line)))
        next(line for line in lines if "Ctrl+C" in line)
        try:
            yield link
        finally:
            process.terminate()


def count() -> dict[str, str]:
    """Return the clicks of each task by its words, "not there" if this revision cannot do it."""
    counted: dict[str, str] = {}
    with demo() as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=SWITCHES)
        page = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 900}).new_page()
        page.set_default_timeout(15_000)
        page.goto(link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin*")
        queue = page.url
        for task in TASKS:
            page.goto(queue)
            owner = Owner(page)
            try:
                task.do(owner)
            except (PlaywrightError, AssertionError) as error:
                sys.stderr.write(f"{task.words}: {str(error).splitlines()[0]}\n")
                counted[task.words] = "not there"
            else:
                counted[task.words] = str(owner.clicks)
        browser.close()
    return counted


def table(counted: dict[str, str]) -> str:
    """Return the table in Markdown."""
    rows = [f"| {task.words} | {counted[task.words]} | {task.before} | {task.wordpress} |" for task in TASKS]
    return "\n".join(["| Clicks | now | before | WordPress 6.1 |", "|---|---|---|---|", *rows]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--write", action="store_true", help="keep the table in docs/admin.md")
    options = parser.parse_args()
    counted = count()
    sys.stdout.write(table(counted))
    if options.write:
        text = DOCUMENT.read_text()
        head, rest = text.split(BEGIN)
        _, tail = rest.split(END)
        DOCUMENT.write_text(f"{head}{BEGIN}{table(counted)}{END}{tail}")
    return 1 if "not there" in counted.values() else 0


if __name__ == "__main__":
    raise SystemExit(main())
