"""The language of a thread's pages: whose it is, that it stays the same on every way, and that no word is left out."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.db.session import begin_write, db
from commentsvc.domain.reading.page_sizes import FIRST_REPLIES
from commentsvc.languages import ENGLISH
from commentsvc.models import FieldRule, Likes, Site
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import Elements, GuestClient, add_site

NAME = "<b>Eve</b> 100%"
TIME = re.compile(r"<time.*?</time>", re.DOTALL)
OUR_OWN = re.compile(r"<(script|style|svg)\b.*?</\1>", re.DOTALL)


class Marked(gettext.NullTranslations):
    """A catalogue that has every text, in brackets behind the language's code."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def gettext(self, message: str) -> str:
        return f"{self.code}[{message}]" if self.code != ENGLISH else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        return self.ngettext(msgid1, msgid2, n)


@pytest.fixture(autouse=True)
def catalogues(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Catalogues that are complete in every language."""
    monkeypatch.setattr(messages, "_catalogue", Marked)
    yield
    messages.use(ENGLISH)


def spoken(html: str) -> tuple[str | None, str | None]:
    """Return language and direction of a page."""
    root = Elements(html).all("html")[0]
    return root["lang"], root["dir"]


def unmarked(html: str) -> str:
    """Return the texts and attributes that people read outside a catalogue's brackets."""
    page = Elements(OUR_OWN.sub("", TIME.sub("", html)))
    shown = [
        value
        for _, attributes in page.found
        for name, value in attributes.items()
        if name in {"aria-label", "title", "placeholder", "alt", "data-ask", "data-check", "data-sending"}
    ]
    left = " ".join([" ".join(page.words), *filter(None, shown)])
    while (shorter := re.sub(r"\w\w\[[^\[\]]*\]", "", left)) != left:
        left = shorter
    return " ".join(left.split())


def test_the_language_is_that_of_the_page_else_the_sites(app: Flask) -> None:
    add_site(app, language="fr")
    reader = GuestClient(app)
    for named, language in {
        "ar": ("ar", "rtl"),
        "en_US": ("en", "ltr"),
        "jp": ("ja", "ltr"),
        "zh-Hant": ("zh-TW", "ltr"),
        "xx-unknown": ("fr", "ltr"),
        "": ("fr", "ltr"),
        "a" * 300: ("fr", "ltr"),
    }.items():
        html = reader.get("/embed", lang=named, headers={"Accept-Language": "de"}).text
        assert spoken(html) == language
        assert ("right to left" in html) is (language[1] == "rtl")  # its own sheet
    assert spoken(reader.get("/thread", headers={"Accept-Language": "de"}).text) == ("de", "ltr")
    assert spoken(reader.get("/thread", lang="he", headers={"Accept-Language": "de"}).text) == ("he", "rtl")
    assert spoken(reader.get("/thread").text) == ("fr", "ltr")
    latest = reader.client.get("/latest", query_string={"origin": BLOG}, base_url=BASE_URL)
    assert spoken(latest.text) == ("fr", "ltr")


def test_languages_of_a_thread_never_mix(app: Flask) -> None:
    add_site(app, language="fr")
    reader = GuestClient(app)
    reader.posted()
    for accepted in ("de", "ar", ""):
        headers = {"Accept-Language": accepted} if accepted else {}
        for path, own in {"/embed": "fr", "/thread": accepted or "fr", "/fragment": "fr"}.items():
            for lang in ("ar", "", "ja", "xx"):
                page = reader.get(path, headers, lang=lang)
                expected = lang if lang in {"ar", "ja"} else own
                assert set(re.findall(r"\b([a-z]{2})\[", page.text)) == {expected}, (path, lang, accepted)
        feed = reader.get("/feeds/thread.json", headers).json or {}
        assert feed["title"].startswith("fr[Comments on ")
        assert feed["items"][0]["title"].startswith("fr[Anna on ")


def test_links_and_forms_of_a_page_name_its_language(app: Flask) -> None:
    add_site(app, likes=Likes.VOTES)
    first = GuestClient(app).posted()
    GuestClient(app).posted("Another")
    reader = GuestClient(app, lang="ar")
    for path in ("/embed", "/thread"):
        page = Elements(reader.get(path, reply=str(first)).text)
        links = [urlsplit(link["href"] or "") for link in page.all("a")]
        ours = [link for link in links if link.path.startswith(("/embed", "/thread"))]
        assert {"report", "vote"} <= {link.path.rpartition("/")[2] for link in ours}
        assert {tuple(parse_qs(link.query).get("lang", ())) for link in ours} == {("ar",)}
        own_forms = [form for form in page.all("form") if (form["action"] or "").startswith(path)]
        assert len(own_forms) == len(page.all("input", name="lang", value="ar")) == 1
    answer = reader.post("In between", parent="x").json or {}
    assert answer["message"] == "ar[The comment that you are replying to no longer exists.]"


def test_a_name_in_a_sentence_is_text(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app, lang="ar")
    comment = reader.posted(name=NAME)
    reply = reader.posted("An answer", name=NAME, parent=str(comment))
    reader.posted("An answer to the answer", parent=str(reply))
    for path in ("/embed", "/thread", "/fragment"):
        html = reader.get(path, reply=str(comment)).text
        assert "<b>" not in html
        assert "in reply to" in html
        assert NAME in Elements(html).text
    html = reader.get("/embed", reply=str(comment)).text
    assert "ar[Leave a Reply to <bdi>&lt;b&gt;Eve&lt;/b&gt; 100%</bdi>]" in html
    assert f"ar[Reply to {NAME}]" in [link.get("aria-label") for link in Elements(html).all("a")]


def test_a_name_is_not_for_a_browsers_translation(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted("One", name="Rose")
    reader.posted("Two", name="Rose", website="https://rose.example")
    names = Elements(reader.get().text).all("bdi", translate="no")
    assert len(names) == 2


def test_no_word_of_a_thread_is_left_in_english(app: Flask) -> None:
    site_id = add_site(app, name="12", likes=Likes.LIKES, name_field=FieldRule.OPTIONAL)
    reader = GuestClient(app, lang="ar")
    first = reader.posted("123", name="")
    for number in range(3):
        reader.posted(f"{number}", name="", parent=str(first))
    assert "Leave a Reply" in unmarked(GuestClient(app).get().text)
    for path in ("/embed", "/thread", "/fragment"):
        left = unmarked(reader.get(path).text.replace(f"{BLOG}/article", ""))
        assert not re.search(r"[A-Za-z]{2}", left), left
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.get_one(Site, site_id).heading = "Say something"
        session.commit()
    html = reader.get("/embed", reply=str(first)).text
    assert "ar[Say something to <bdi>ar[Anonymous]</bdi>]" in html
    assert urlencode({"lang": "ar"}) in html


def test_a_number_of_hidden_replies_needs_no_digit_in_the_words(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arabic says one and two in words; the script that counts what a line hides takes the number from an attribute."""
    monkeypatch.undo()
    add_site(app)
    reader = GuestClient(app)
    root = reader.posted("A root")
    for number in range(FIRST_REPLIES + 1):
        reader.posted(f"Reply {number}", parent=root)
    (link,) = Elements(reader.get(lang="ar").text).all("a", **{"data-more": "replies"})
    assert link["data-count"] == "1"
