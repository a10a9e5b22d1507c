"""Mail, and the pages that it leads to, in the language of whoever gets it, whatever others speak."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask import Flask

from commentsvc.models import now
from tests.conftest import BASE_URL
from tests.support.guest_client import GuestClient, add_site
from tests.support.language_marks import mark_words
from tests.support.subscribers import link, part, postman, press

ADA = "ada@mail.example"
GERMAN = {"Accept-Language": "de"}


def languages_of(text: str) -> set[str]:
    """The codes of the languages in which a text speaks."""
    return set(re.findall(r"\[(\w\w)\] ", text))


def check_arabic(mail: EmailMessage) -> None:
    assert mail["Content-Language"] == "ar"
    assert '<html lang="ar" dir="rtl">' in part(mail, "html")
    assert "text-align:right" in part(mail, "html")
    for words in (str(mail["Subject"]), part(mail), part(mail, "html")):
        assert languages_of(words) - {"ar"} == set()
    assert languages_of(part(mail)) == languages_of(part(mail, "html")) == {"ar"}


@pytest.fixture
def arabic(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_words(monkeypatch)


def test_a_mail_is_in_the_language_in_which_it_was_asked_for(app: Flask, arabic: None) -> None:
    with postman(app) as post:
        add_site(app, valve=False)
        GuestClient(app).posted("First", email=ADA, notify="1", lang="ar")
        (confirmation,) = post.work()
        check_arabic(confirmation)
        assert "[ar] Please confirm" in str(confirmation["Subject"])
        path = link(confirmation, "confirm")
        page = app.test_client().get(path, base_url=BASE_URL, headers=GERMAN).text
        assert '<html lang="ar" dir="rtl"' in page
        assert "[ar] Please confirm" in page
        assert "[ar] Confirmed" in press(app, path, shown="999999").text

        GuestClient(app).posted("Second", email="carl@mail.example", name="100% <b>", lang="de")
        (mail,) = post.work(now() + timedelta(minutes=6))
        check_arabic(mail)
        assert "[ar] \u2068100% <b>\u2069 wrote:" in part(mail)
        assert re.search(
            "On: https://blog.example/article$", part(mail), re.MULTILINE
        )  # a mark would break the link
        assert "[ar] <b><bdi>100% &lt;b&gt;</bdi></b> wrote:" in part(mail, "html")
        assert "[ar] 100% <b> via Blog" in str(mail["From"])
        for kind in ("list", "stop"):
            page = app.test_client().get(link(mail, kind), base_url=BASE_URL, headers=GERMAN).text
            assert '<html lang="ar" dir="rtl"' in page
        answer = press(app, link(mail, "stop"), **{"List-Unsubscribe": "One-Click"})
        assert answer.text == "[ar] You get no more of these mails.\n"

        nowhere = app.test_client().get(f"{path}0", base_url=BASE_URL, headers=GERMAN)
        assert (nowhere.status_code, '<html lang="de"' in nowhere.text) == (404, True)


def test_a_daily_mail_counts_in_the_readers_language(app: Flask, arabic: None) -> None:
    with postman(app) as post:
        add_site(app, valve=False)
        GuestClient(app).posted("First", email=ADA, notify="1", lang="ar")
        (confirmation,) = post.work()
        press(app, link(confirmation, "confirm"), shown="999999")
        post.change(frequency="daily")
        for text in ("Second", "Third"):
            GuestClient(app).posted(text, email="carl@mail.example", name="Carl", lang="de")
        (mail,) = post.work(now() + timedelta(days=2))
        check_arabic(mail)
        assert mail["Subject"] == "[ar] 2 new comments on Blog"
