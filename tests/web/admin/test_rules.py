"""The owner tries rules on the comments there are, and then saves them or not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.moderation import decisions, reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import akismet_check, training
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.errors import OutboundError
from commentsvc.http_client.client import HttpResponse
from commentsvc.models import Action, Comment, Commenter, Membership, Policy, Role, Site, Status
from tests.conftest import BLOG
from tests.support.browser_client import BrowserClient
from tests.support.comment_builders import article
from tests.support.guest_client import Elements
from tests.support.outside_session import outside_session

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
XSS = "</textarea><script>alert(1)</script>"


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with outside_session(app, expire_on_commit=False) as session:
        yield session


@pytest.fixture
def site(session: Session) -> Site:
    """A site whose policy lets every comment appear at once."""
    begin_write(session)
    site = sites.add(session, "Blog", [BLOG], owner_id=accounts.operator(session).id)
    site.policy = Policy.OPEN
    session.commit()
    return site


@pytest.fixture
def owner(app: Flask, session: Session, site: Site) -> BrowserClient:
    begin_write(session)
    person = accounts.operator(session)
    session.commit()
    return BrowserClient(app).sign_in(session, person)


def form(**changes: str) -> dict[str, str]:
    usual = {
        "policy": "open",
        "most_links": "2",
        "filter_threshold": "90",
        "reports_to_hold": "3",
        "moderation_words": "",
        "disallowed_words": "",
        "do": "try",
    }
    return usual | changes


def spam(session: Session, site: Site, text: str = "Cheap casino") -> Comment:
    begin_write(session)
    comment = article(session, session.get_one(Site, site.id)).write(text)
    decisions.decide(session, comment, Status.SPAM, moderator_id=accounts.operator(session).id)
    session.commit()
    return comment


def fresh(session: Session, site: Site) -> Site:
    session.rollback()
    return session.get_one(Site, site.id, populate_existing=True)


def kinds(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Action.kind).order_by(Action.id)))


def rules(site: Site) -> str:
    return f"/admin/sites/{site.id}/rules"


class TestTrying:
    def test_shows_what_would_change_and_saves_nothing(
        self, session: Session, site: Site, owner: BrowserClient
    ) -> None:
        comment = spam(session, site)
        answer = owner.post(rules(site), form(moderation_words="casino"))
        assert answer.status_code == 200
        text = Elements(answer.text).text
        assert "Of the latest 1 comment, 1 would be decided differently" in text
        assert fresh(session, site).moderation_words == ""
        shown = Elements(owner.post(rules(site), form()).text)
        assert "Spam that would appear" in shown.text
        assert shown.all("a", href=f"/admin/comments/{comment.id}")
        assert kinds(session) == []

    def test_what_was_tried_is_what_is_saved(
        self, session: Session, site: Site, owner: BrowserClient
    ) -> None:
        words = f'casino\n\n# remark\n{XSS} & "more"'
        page = owner.post(
            rules(site),
            form(disallowed_words=words, most_links="7", filter_threshold="75", reports_to_hold="5"),
        ).text
        assert "<script>alert" not in page
        shown = page.partition('<form class="sheet"')[2].partition("</form>")[0]
        sent = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', shown))
        sent |= dict(re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\r?\n(.*?)</textarea>', shown, re.DOTALL))
        sent |= {"policy": re.findall(r'<option selected value="(\w+)"', shown)[0]}
        sent = {name: html.unescape(value) for name, value in sent.items()}
        answer = owner.post(rules(site), sent | {"do": "save"}, token=sent["csrf_token"])
        assert answer.status_code == 303
        stored = fresh(session, site)
        assert (stored.disallowed_words, stored.most_links, stored.filter_threshold) == (words, 7, 0.75)
        assert stored.reports_to_hold == 5
        assert kinds(session) == ["rules.saved"]
        assert "The rules are saved." in owner.page(rules(site))

    @ENGINES
    def test_tells_how_many_comments_other_numbers_of_reports_would_have_held(
        self, session: Session, site: Site, owner: BrowserClient
    ) -> None:
        begin_write(session)
        pen = article(session, session.get_one(Site, site.id))
        for text, readers, network in (("Rude", 3, None), ("Odd", 2, None), ("Disliked", 4, "n" * 64)):
            comment = pen.write(text)
            for number in range(readers):
                by = Reporter(f"{number:064}", network or f"{number:064}", member=bool(network))
                reports.report(session, comment.id, by, reason="abuse", at=comment.created_at)
            if text == "Rude":
                me = accounts.operator(session).id
                decisions.decide(session, comment, Status.TRASH, moderator_id=me)
        session.commit()
        text = " ".join(Elements(owner.post(rules(site), form(reports_to_hold="2")).text).text.split())
        assert "Readers have reported 3 comments." in text
        assert (
            "With the current rules, 3 reports hold a comment: that makes 1 (people moved to the trash 1)."
            in text
        )
        assert (
            "With these rules, 2 reports hold a comment: that makes 2 "
            "(people moved to the trash 1, have not decided on 1)." in text
        )
        off = " ".join(Elements(owner.post(rules(site), form(reports_to_hold="0")).text).text.split())
        assert "With these rules, reports do not hold comments." in off

    def test_a_page_without_comments_says_so(self, site: Site, owner: BrowserClient) -> None:
        assert "There are no comments to preview yet" in owner.post(rules(site), form()).text

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("most_links", "-1"),
            ("most_links", "many"),
            ("most_links", ""),
            ("filter_threshold", "49"),
            ("filter_threshold", "101"),
            ("reports_to_hold", "-1"),
            ("reports_to_hold", "1001"),
            ("reports_to_hold", ""),
            ("policy", "nonsense"),
            ("moderation_words", "x" * 201),
            ("disallowed_words", "x\n" * 2001),
        ],
    )
    @pytest.mark.parametrize("do", ["try", "save"])
    def test_what_cannot_be_is_said_beside_its_field(
        self, session: Session, site: Site, owner: BrowserClient, field: str, value: str, do: str
    ) -> None:
        answer = owner.post(rules(site), form(do=do) | {field: value})
        assert answer.status_code == 422
        assert Elements(answer.text).all("p", id=f"{field}-error")
        assert kinds(session) == []


@ENGINES
def test_saving_is_logged_with_what_it_was(session: Session, site: Site, owner: BrowserClient) -> None:
    for _ in range(2):
        owner.post(rules(site), form(do="save", policy="hold_all", moderation_words="casino"))
    assert fresh(session, site).policy is Policy.HOLD_ALL
    (action,) = session.scalars(select(Action))
    assert action.summary == "Changed the rules: policy, moderation words."
    assert action.facts == {"before": {"policy": "open", "moderation_words": ""}}


@ENGINES
def test_the_filter_is_emptied_on_request(session: Session, site: Site, owner: BrowserClient) -> None:
    spam(session, site)
    assert "So far: 1 spam, 0 approved." in Elements(owner.page(rules(site))).text
    assert owner.post(f"{rules(site)}/forget").status_code == 303
    session.rollback()
    assert training.learned_counts(session, site.id) == Counts()
    assert kinds(session) == ["filter.forgotten"]


class Akismet:
    """Stands where Akismet would, and says this of every key; None: it cannot be reached."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, word: bytes | None, status: int = 200) -> None:
        self.word, self.status = word, status
        self.asked: list[dict[str, list[str]]] = []
        monkeypatch.setitem(akismet_check.is_known_to_akismet.__kwdefaults__, "fetch", self)

    def __call__(self, url: str, *, data: bytes, **_how: Any) -> HttpResponse:
        assert url == "https://rest.akismet.com/1.1/verify-key"
        self.asked.append(parse_qs(data.decode()))
        if self.word is None:
            raise OutboundError("The server could not be reached.")
        return HttpResponse(url, self.status, "text/plain", self.word, {})


def test_a_key_that_akismet_does_not_know_is_not_kept(
    session: Session, site: Site, owner: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Akismet(monkeypatch, b"invalid")
    answer = owner.post(f"{rules(site)}/akismet", {"key": "0123abc", "do": "on"})
    assert answer.status_code == 422
    assert "Akismet does not know this key" in answer.text
    assert Elements(answer.text).all("input", id="key")[0]["value"] == "0123abc"
    assert fresh(session, site).akismet_key is None
    assert service.asked == [{"api_key": ["0123abc"], "blog": [BLOG]}]
    assert kinds(session) == []


@pytest.mark.parametrize(("word", "status"), [(None, 200), (b"", 503), (b"valid", 500), (b"<html>", 200)])
def test_a_key_is_kept_with_a_warning_where_akismet_does_not_say(
    session: Session,
    site: Site,
    owner: BrowserClient,
    monkeypatch: pytest.MonkeyPatch,
    word: bytes | None,
    status: int,
) -> None:
    Akismet(monkeypatch, word, status)
    assert owner.post(f"{rules(site)}/akismet", {"key": "0123abc", "do": "on"}).status_code == 303
    assert fresh(session, site).akismet_key == "0123abc"
    assert "could not be reached to check the key" in owner.page(rules(site))


def test_nothing_is_no_key(site: Site, owner: BrowserClient) -> None:
    answer = owner.post(f"{rules(site)}/akismet", {"key": " ", "do": "on"})
    assert answer.status_code == 422
    assert "Please enter your key" in answer.text


def state_of_akismet(page: str) -> str:
    match = re.search(r'<h2 id="akismet">Akismet <span class="badge \w+">(\w+)</span>', page)
    assert match
    return match[1]


def test_akismet_is_off_until_there_is_a_key(
    session: Session, site: Site, owner: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    Akismet(monkeypatch, b"valid")
    assert state_of_akismet(owner.page(rules(site))) == "Off"
    assert owner.post(f"{rules(site)}/akismet", {"key": " 0123abc ", "do": "on"}).status_code == 303
    assert fresh(session, site).akismet_key == "0123abc"
    page = owner.page(rules(site))
    assert "Akismet accepts the key" in page
    assert state_of_akismet(page) == "On"
    assert "0123abc" not in page
    owner.post(f"{rules(site)}/akismet", {"do": "off"})
    assert fresh(session, site).akismet_key is None
    answer = owner.post(f"{rules(site)}/akismet", {"key": XSS})
    assert answer.status_code == 422
    assert Elements(answer.text).all("p", id="key-error")


def test_are_the_owners_alone(app: Flask, session: Session, site: Site) -> None:
    begin_write(session)
    person = Commenter(name="Moderator")
    session.add(person)
    session.flush()
    session.add(Membership(commenter_id=person.id, site_id=site.id, role=Role.MODERATOR))
    session.commit()
    moderator = BrowserClient(app).sign_in(session, person)
    assert moderator.get(rules(site)).status_code == 404
    for path in ("", "/akismet", "/forget"):
        assert moderator.post(rules(site) + path, form(do="save", policy="hold_all")).status_code == 404
    assert fresh(session, site).policy is Policy.OPEN


def test_the_settings_lead_there(site: Site, owner: BrowserClient) -> None:
    assert rules(site) in owner.page(f"/admin/sites/{site.id}")
