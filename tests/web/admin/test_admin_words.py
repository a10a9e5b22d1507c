"""The admin view in another language: no page stays in the language of its first request, names stay names."""

from __future__ import annotations

import re

import pytest

from commentsvc.domain.fields import Guest
from commentsvc.models import Status
from tests.support.admin_queue import AdminQueue, open_queue
from tests.support.marked_words import mark

queue_of_site = open_queue
HEADING = re.compile(r"<h[12][^>]*>(.*?)</h[12]>", re.DOTALL)
ODD = Guest("100% <i>Ada</i> %(name)s", "ada@mail.example")
SHOWN = "100% &lt;i&gt;Ada&lt;/i&gt; %(name)s"


@pytest.fixture(autouse=True)
def german_in_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    mark(monkeypatch, "de")


def in_language(it: AdminQueue, code: str, path: str) -> str:
    answer = it.owner.get(path, **{"Accept-Language": code})
    assert answer.status_code == 200, path
    return answer.text


def test_pages_are_in_the_language_of_each_request(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    comment = it.write("Hello", guest=ODD, status=Status.SPAM)
    site = f"/admin/sites/{it.site_id}"
    for path in (
        f"{site}/activity",
        f"{site}/api-tokens",
        f"{site}/bans",
        f"{site}/danger",
        f"{site}/embed-code",
        f"{site}/empty?status=spam",
        f"{site}/endpoints",
        f"{site}/endpoints/new/webhook",
        f"{site}/export",
        f"{site}/import",
        f"/admin/comments/{comment}",
        f"/admin/comments/{comment}/ban",
        f"/admin/comments/{comment}/edit",
    ):
        for code in ("en", "de", "en"):
            page = in_language(it, code, path)
            headings = HEADING.findall(page)
            assert headings, path
            assert "⟦" not in "".join(headings) if code == "en" else "⟦" in headings[0], (path, code)


def test_a_name_in_a_translated_sentence_is_text(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    comment = it.write("Hello", guest=ODD, status=Status.APPROVED)
    reply = it.write("Hello to you", guest=ODD, parent=comment)
    page = in_language(it, "de", f"/admin/comments/{reply}")
    assert f"⟦Comment by <bdi>{SHOWN}</bdi>⟧" in page
    assert re.search(rf"⟦in reply to <a [^>]*><bdi>{re.escape(SHOWN)}</bdi></a>⟧", page)
    assert f"<title>⟦Ban {SHOWN}⟧ · Blog</title>" in in_language(it, "de", f"/admin/comments/{reply}/ban")
    assert "<i>Ada" not in page


def test_the_start_page_is_kept_once_for_each_language(queue_of_site: AdminQueue) -> None:
    it = queue_of_site
    for code, heading in (("de", "⟦Comments⟧"), ("en", "Comments"), ("de-AT, en;q=0.5", "⟦Comments⟧")):
        answer = it.owner.get("/", **{"Accept-Language": code})
        assert f"<h1>{heading}</h1>" in answer.text
        assert "Accept-Language" in answer.headers["Vary"]
