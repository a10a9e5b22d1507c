"""The words of the admin view's pages, in another language."""

from __future__ import annotations

import html
import json
import re
from gettext import NullTranslations

import pytest
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.domain.fields import Guest
from commentsvc.models import Site, Status
from tests.support.browser_client import BrowserClient
from tests.web.admin.test_admin import moderator, owner, session, site, visitor, write

__all__ = ["moderator", "owner", "session", "site", "visitor"]

PAGES = (
    "/admin?status=spam",
    "/admin?status=spam&q=Hello",
    "/admin/sites/{site}/people?q=eve",
    "/admin/sites/{site}/people/one?who=email:eve@example.org",
    "/admin/sites/{site}/statistics",
    "/admin/sites/{site}/rules",
    "/admin/sites/{site}/sign-in",
    "/admin/sites/{site}/team",
    "/admin/sites/{site}/mail",
    "/admin/sites/{site}",
    "/admin/threads?site={site}&q=swift",
    "/admin/threads/{thread}",
    "/admin/threads/{thread}/address",
)
EVE = Guest("<i>Eve</i> %(name)s", "eve@example.org", "")


class Marked(NullTranslations):
    """A language in which each text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_catalogue", lambda code: Marked())


@pytest.mark.usefixtures("marked")
def test_pages_speak_another_language_and_escape_what_people_wrote(
    session: Session, site: Site, moderator: BrowserClient
) -> None:
    comment = write(session, site, "Hello", guest=EVE, status=Status.SPAM)
    for page in PAGES:
        answer = moderator.get(page.format(site=site.id, thread=comment.thread_id))
        assert answer.status_code == 200, page
        assert "⟦Articles⟧" in answer.text, page
        assert "⟦" in answer.text.partition("<main")[2], page
        assert "<i>" not in answer.text, page
    person = moderator.get(PAGES[3].format(site=site.id)).text
    assert f"<bdi>{html.escape(EVE.name)}</bdi>" in person
    assert "⟦<b>1</b> spam⟧" in person


@pytest.mark.usefixtures("marked")
def test_scripts_find_their_words_in_the_page(site: Site, moderator: BrowserClient) -> None:
    block = re.search(
        r'<script type="application/json" id="words">(.*?)</script>', moderator.get("/admin").text
    )
    assert block
    words = json.loads(block[1])
    assert words["discard"] == "⟦Discard what you typed?⟧"
    assert words["selected"] == {"one": "⟦%(count)s selected⟧", "other": "⟦%(count)s selected⟧"}
