"""The local filter learns from people's verdicts alone, each once, and says what it goes by."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.comments import comment_text, editing
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.spam import spam_filter, tokens, training
from commentsvc.domain.spam.spam_filter import ENOUGH, Counts, Score
from commentsvc.domain.spam.tokens import TokenSource
from commentsvc.models import Comment, FilterWord, Kind, Site, Status
from tests.support.comment_builders import Pen, article

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
SPAM, HAM = "Win cheap casino credits now", "Thanks for the recipe of bread"


def words(session: Session, site: Site) -> dict[str, tuple[int, int]]:
    session.flush()
    query = select(FilterWord.word, FilterWord.spam, FilterWord.ham).where(FilterWord.site_id == site.id)
    return {row.word: (row.spam, row.ham) for row in session.execute(query)}


def judge(session: Session, comment: Comment, status: Status) -> None:
    moderation_decisions.decide(session, comment, status, moderator_id=accounts.operator(session).id)
    session.flush()


def teach(session: Session, pen: Pen, number: int = ENOUGH) -> None:
    for at in range(number):
        judge(session, pen.write(f"{SPAM} {at}"), Status.SPAM)
        judge(session, pen.write(f"{HAM} {at}"), Status.APPROVED)


def asked(session: Session, site: Site, text: str) -> Score | None:
    session.flush()
    return spam_filter.score(session, site.id, TokenSource(text))


class TestLearning:
    @ENGINES
    def test_counts_every_word_once_a_comment(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        judge(session, pen.write("Bread bread BREAD"), Status.APPROVED)
        judge(session, pen.write("Ｂread and casino"), Status.SPAM)  # noqa: RUF001
        result = words(session, site)
        assert (result[""], result["bread"], result["casino"]) == ((1, 1), (1, 1), (1, 0))

    @ENGINES
    def test_the_same_verdict_twice_counts_once_and_another_takes_its_place(
        self, session: Session, site: Site
    ) -> None:
        comment = article(session, site).write("Bread")
        for _ in range(3):
            judge(session, comment, Status.SPAM)
        assert words(session, site)["bread"] == (1, 0)
        judge(session, comment, Status.APPROVED)
        assert words(session, site)["bread"] == (0, 1)
        assert comment.learned is Status.APPROVED
        judge(session, comment, Status.HELD)
        assert words(session, site) == {}
        assert comment.learned is None

    @ENGINES
    def test_any_order_of_verdicts_ends_as_the_last_ones_say(self, session: Session, site: Site) -> None:
        chance = random.Random(7)
        pen = article(session, site)
        every = [pen.write(f"Word{at} and some others") for at in range(4)]
        for _ in range(30):
            judge(session, chance.choice(every), chance.choice(list(Status)))
        spam = sum(one.learned is Status.SPAM for one in every)
        ham = sum(one.learned is Status.APPROVED for one in every)
        assert training.learned_counts(session, site.id) == Counts(spam, ham)
        assert words(session, site).get("others", (0, 0)) == (spam, ham)

    def test_what_no_person_decided_teaches_nothing(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Bread")
        moderation_decisions.decide(session, comment, Status.SPAM)
        assert words(session, site) == {}

    def test_mentions_by_other_sites_teach_nothing(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Bread")
        comment.kind = Kind.PINGBACK
        judge(session, comment, Status.SPAM)
        assert words(session, site) == {}

    def test_an_edited_comment_is_known_by_its_new_words(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Casino")
        judge(session, comment, Status.APPROVED)
        draft = comment_text.from_source("Bread", longest=100)
        editing.edit(session, comment, draft, at=comment.created_at, guest=Guest("Ben"))
        result = words(session, site)
        assert "casino" not in result
        assert result["bread"] == result["name:ben"] == result[""] == (0, 1)

    @ENGINES
    def test_forgets_all_of_one_site(self, session: Session, site: Site) -> None:
        comment = article(session, site).write("Bread")
        judge(session, comment, Status.SPAM)
        training.forget(session, site.id)
        session.refresh(comment)
        assert words(session, site) == {}
        assert comment.learned is None

    @ENGINES
    def test_learns_imported_verdicts_once(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        for at, status in enumerate((Status.APPROVED, Status.SPAM, Status.HELD, Status.TRASH)):
            comment = pen.write(f"Bread {at}")
            moderation_decisions.decide(session, comment, status)
            comment.transfer_key = f"wordpress:{at}"
        pen.write("Written here")
        session.commit()
        assert training.learn_imported(session, site.id) == Counts(1, 1)
        assert training.learn_imported(session, site.id) == Counts(0, 0)
        assert words(session, site)["bread"] == (1, 1)


class TestScoring:
    def test_says_nothing_before_it_knows_enough_of_both(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        teach(session, pen, ENOUGH - 1)
        assert asked(session, site, SPAM) is None
        judge(session, pen.write(f"{SPAM}!"), Status.SPAM)
        assert asked(session, site, SPAM) is None
        judge(session, pen.write(f"{HAM}!"), Status.APPROVED)
        assert asked(session, site, SPAM) is not None

    @ENGINES
    def test_tells_one_from_the_other_and_says_by_what(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        teach(session, pen)
        spam, ham = asked(session, site, "cheap casino"), asked(session, site, "a recipe, thanks")
        assert spam is not None
        assert ham is not None
        assert spam.value > 0.9
        assert ham.value < 0.1
        assert "“casino”" in spam.reason()
        assert spam.reason().startswith("The site's own filter considers this spam with 9")
        assert "“recipe”" in ham.reason()
        held = pen.write("More cheap casino credits")
        assert held.status is Status.HELD
        assert [row["score"] > 0.9 for row in held.decisions[0].reasons if row["check"] == "filter"] == [True]

    def test_takes_what_it_does_not_know_for_neither(self, session: Session, site: Site) -> None:
        teach(session, article(session, site))
        score = asked(session, site, "Quetzalcoatl")
        assert score is not None
        assert 0.2 < score.value < 0.8

    def test_another_sites_words_are_no_business_of_this_one(self, session: Session, site: Site) -> None:
        teach(session, article(session, site))
        assert spam_filter.score(session, site.id + 1, TokenSource(SPAM)) is None

    def test_a_comment_does_not_vouch_for_itself(self) -> None:
        counts = {"": Counts(ENOUGH + 1, ENOUGH), "only": Counts(1, 0)}
        alone = spam_filter.weigh(["only"], counts, learned_as=Counts(spam=1))
        assert alone is not None
        assert alone.value == 0.5
        assert spam_filter.weigh(["only"], {"": Counts(ENOUGH, ENOUGH)}, learned_as=Counts(ham=1)) is None

    @pytest.mark.parametrize("kind", [Counts(10**6, 0), Counts(0, 10**6)])
    def test_any_number_of_certain_words_stays_a_probability(self, kind: Counts) -> None:
        counts = {"": Counts(10**6, 10**6)} | {f"w{at}": kind for at in range(400)}
        score = spam_filter.weigh([f"w{at}" for at in range(400)], counts)
        assert score is not None
        assert 0 <= score.value <= 1
        assert "100%" not in score.reason()


class TestTokens:
    def test_signs_are_seen(self) -> None:
        html = '<a href="https://www.spam.example/x" rel="n">x</a>' * 5
        result = tokens.tokens_of(
            TokenSource(
                "BUY CHEAP THINGS NOW!!! Саsino 0123456",  # noqa: RUF001
                html,
                "Best Casino",
                "a@Mail.example",
                "http://s.example",
            )
        )
        for sign in ("links:3", "website", "caps", "exclaims", "mixed", "digits"):
            assert f"sign:{sign}" in result
        assert {"domain:spam.example", "domain:s.example", "email:mail.example", "name:casino"} <= set(result)
        assert all(tokens.in_words(token) for token in result)

    @pytest.mark.parametrize("host", ["b\u00fccher.example", "xn--bcher-kva.example", "B\u00dcCHER.example."])
    def test_a_domain_is_one_word_however_it_is_written(self, host: str) -> None:
        for text in (
            TokenSource("x", f'<a href="https://www.{host}/">x</a>'),
            TokenSource("x", website=f"https://{host}"),
        ):
            assert "domain:xn--bcher-kva.example" in tokens.tokens_of(text)

    def test_writing_without_spaces_has_words_too(self) -> None:
        assert {"便宜", "宜赌", "赌场"} <= set(tokens.tokens_of(TokenSource("便宜赌场")))

    def test_are_bounded(self) -> None:
        result = tokens.tokens_of(TokenSource(" ".join(f"word{at}" for at in range(9_999)) + "x" * 99_999))
        assert len(result) == tokens.MOST
        assert max(map(len, result)) <= 80
