"""The admin view's language, a site's language, and sentences in an owner's own words."""

from __future__ import annotations

import gettext as files
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from jinja2 import nodes

from commentsvc import messages
from commentsvc.db.session import begin_write
from commentsvc.domain.sites import site_words
from commentsvc.domain.sites.site_words import SENTENCES
from commentsvc.models import Action, Commenter, Site
from tests.conftest import BLOG
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.words import TEMPLATES

THREAD = f"/embed?url={BLOG}/swifts"


class Invented(files.NullTranslations):
    """A catalogue with every text in another language, which is told by its code."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def gettext(self, message: str) -> str:
        return message if self.code == "en" else f"{self.code}:{message}"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture
def it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdminQueue]:
    monkeypatch.setattr(messages, "_catalogue", Invented)
    with queue_in(app) as queue:
        yield queue


def language_of(page: str) -> str:
    match = re.search(r'<html lang="([^"]*)"', page)
    assert match
    return match[1]


def wording(it: AdminQueue, language: str = "de") -> str:
    return f"/admin/sites/{it.site_id}/wording?language={language}"


class TestAdminView:
    def test_speaks_what_the_person_chose_else_what_the_browser_asks_for_if_it_has_that(
        self, it: AdminQueue
    ) -> None:
        path = f"/admin/sites/{it.site_id}/rules"
        for accepted, spoken in (("de", "de"), ("it, ja;q=0.5", "ja"), ("it", "en"), ("", "en")):
            page = it.owner.get(f"{path}?lang=fr", **{"Accept-Language": accepted})
            assert language_of(page.text) == spoken
        assert it.owner.post("/admin/language", {"language": "ru"}).status_code == 303
        page = it.owner.get(path, **{"Accept-Language": "de"}).text
        assert language_of(page) == "ru"
        assert "ru:Every comment is held for approval" in page
        assert it.owner.post("/admin/language", {"language": ""}).status_code == 303
        assert language_of(it.owner.get(path, **{"Accept-Language": "de"}).text) == "de"

    def test_offers_no_language_that_it_does_not_have(self, it: AdminQueue) -> None:
        assert 'value="zh-CN"' in it.owner.page("/admin/language")
        assert 'value="fi"' not in it.owner.page("/admin/language")
        assert it.owner.post("/admin/language", {"language": "fi"}).status_code == 422
        it.session.rollback()
        assert {person.language for person in it.session.query(Commenter)} == {None}

    def test_signed_out_people_get_their_browsers(self, it: AdminQueue, app: Flask) -> None:
        page = app.test_client().get("/admin", headers={"Accept-Language": "es"})
        assert page.status_code == 401
        assert language_of(page.text) == "es"

    def test_what_the_log_stores_is_english_whoever_acts(self, it: AdminQueue) -> None:
        it.owner.post("/admin/language", {"language": "de"})
        comment = it.write("Buy", by=it.person("Eve").id)
        it.owner.post(f"/admin/comments/{comment}/decision", {"verdict": "spam"})
        it.owner.post(
            f"/admin/sites/{it.site_id}/bans",
            {"kind": "domain", "value": "ads.example", "length": "good", "reason": "Ads"},
        )
        it.session.rollback()
        assert [action.summary for action in it.session.query(Action).order_by(Action.id)] == [
            "Marked as spam: one comment.",
            "Banned links to ads.example permanently: Ads",
        ]


class TestWording:
    def test_readers_get_the_owners_words_as_plain_text_in_that_language_alone(self, it: AdminQueue) -> None:
        typed = {"remember": "Remember  <b>100%</b> of %(name)s"}
        assert it.owner.post(wording(it), typed).status_code == 303
        assert " Remember &lt;b&gt;100%&lt;/b&gt; of %(name)s</label>" in it.owner.page(f"{THREAD}&lang=de")
        assert "Remember" not in it.owner.page(f"{THREAD}&lang=fr")
        shown = it.owner.page(wording(it))
        assert 'value="Remember &lt;b&gt;100%&lt;/b&gt; of %(name)s"' in shown
        assert 'placeholder="de:Cancel reply"' in shown
        it.session.rollback()
        action = it.session.query(Action).one()
        assert (action.summary, action.facts["before"]) == ("Changed the wording in the language de.", {})
        assert it.owner.post(wording(it), {}).status_code == 303
        assert "Remember" not in it.owner.page(f"{THREAD}&lang=de")
        it.session.rollback()
        assert it.session.get_one(Site, it.site_id).words == "{}"

    def test_a_text_that_is_too_long_changes_nothing_and_stays_in_its_field(self, it: AdminQueue) -> None:
        answer = it.owner.post(wording(it), {"none": "n" * 301, "post": "Send"})
        assert answer.status_code == 422
        assert 'id="none-error"' in answer.text
        assert f'value="{"n" * 301}"' in answer.text
        it.session.rollback()
        assert it.session.get_one(Site, it.site_id).words == ""

    def test_only_owners_change_it(self, it: AdminQueue) -> None:
        moderator = it.moderator("Mo")
        assert moderator.get(wording(it)).status_code == 404
        assert moderator.post(wording(it), {"post": "Send"}).status_code == 404

    def test_words_with_a_context_are_told_apart(self, it: AdminQueue, app: Flask) -> None:
        begin_write(it.session)
        site = it.session.get_one(Site, it.site_id)
        site_words.change(it.session, site, "de", {"reply": "Write back"}, moderator_id=1, at=site.created_at)
        it.session.commit()
        show = app.jinja_env.from_string('{{ pgettext("button", "Reply") }} {{ _("Reply") }}')
        with app.app_context():
            messages.use("de", site_words.of(site, "de"))
            assert show.render() == "Write back de:Reply"

    def test_the_sentences_are_those_of_the_templates(self, app: Flask) -> None:
        calls: set[tuple[str, ...]] = set()
        for path in TEMPLATES.rglob("thread/*.html"):
            for call in app.jinja_env.parse(path.read_text()).find_all(nodes.Call):
                if isinstance(call.node, nodes.Name) and call.node.name in {"_", "gettext", "pgettext"}:
                    calls.add(tuple(part.value for part in call.args if isinstance(part, nodes.Const)))
        for sentence in SENTENCES.values():
            wanted = (sentence.context, sentence.text) if sentence.context else (sentence.text,)
            assert wanted in calls
            assert not re.search("[<%]", sentence.text)


class TestSettings:
    def test_an_owner_sets_the_language_of_pages_that_name_none(self, it: AdminQueue) -> None:
        path = f"/admin/sites/{it.site_id}"
        page = it.owner.page(path)
        assert '<option lang="en" selected value="en">English</option>' in page
        assert '<option lang="ar" value="ar">العربية</option>' in page
        typed = {
            "name": "Blog", "heading": "Your turn", "origins": BLOG, "language": "ar", "order": "oldest",
            "likes": "off", "edit_window": "off", "name_field": "off", "email_field": "off",
            "website_field": "off", "guests": "y",
        }  # fmt: skip
        assert it.owner.post(path, typed | {"language": "xx"}).status_code == 422
        assert it.owner.post(path, typed).status_code == 303
        assert '<html lang="ar" dir="rtl"' in it.owner.page(THREAD)
        assert '<html lang="fr" dir="ltr"' in it.owner.page(f"{THREAD}&lang=fr")
