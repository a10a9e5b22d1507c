"""Each check says yes, wait or spam, and why; the strictest decides."""

from __future__ import annotations

import itertools
import time

import pytest
from sqlalchemy.orm import Session

from commentsvc.domain import article_urls
from commentsvc.domain.fields import Guest
from commentsvc.domain.proofs.address_proofs import ProofSignals
from commentsvc.domain.spam import checks, wordlists
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Rules, Submission, Verdict
from commentsvc.domain.spam.lookalikes import Namesake
from commentsvc.domain.spam.spam_filter import Score
from commentsvc.domain.spam.wordlists import Match
from commentsvc.domain.surge.detection import SurgeLevel
from commentsvc.domain.surge.episodes import SurgeStep
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Policy, Role, Site, Status
from tests.support.comment_builders import article


def submission(**changes: object) -> Submission:
    usual = {
        "policy": Policy.OPEN,
        "role": None,
        "known": False,
        "honeypot_filled": False,
        "seconds_on_form": 60.0,
        "sanitisers_agreed": True,
    }
    return Submission(**(usual | changes))  # type: ignore[arg-type]


WORST = submission(
    policy=Policy.HOLD_ALL,
    honeypot_filled=True,
    seconds_on_form=0.1,
    sanitisers_agreed=False,
    rules=Rules(moderation_words="casino", disallowed_words="pills", most_links=0),
    words={"text": "casino pills", "name": "Moderator"},
    links=1,
    namesake=Namesake("Ada", Role.OWNER),
    proof=ProofSignals(name_of_other=True),
    score=Score(0.99, ()),
    pressure=SurgeLevel(SurgeStep.ALL),
)
"""A comment that every check is against."""


def test_every_check_gives_its_verdict_a_name_with_a_label() -> None:
    submissions = WORST, submission(role=Role.OWNER)
    verdicts = [
        [verdict for one in submissions if (verdict := check(one)) is not None] for check in checks.CHECKS
    ]
    assert all(verdicts), "each check has something to say of one of them"
    names = [its[0].check for its in verdicts]
    assert all(isinstance(name, CheckName) for name in names)
    assert len(set(names)) == len(names)
    assert len({name.label for name in CheckName}) == len(CheckName)


def decided(**changes: object) -> Status:
    return checks.strictest(checks.screen(submission(**changes)))


@pytest.mark.parametrize(
    ("policy", "known", "status"),
    [
        (Policy.OPEN, False, Status.APPROVED),
        (Policy.HOLD_FIRST, False, Status.HELD),
        (Policy.HOLD_FIRST, True, Status.APPROVED),
        (Policy.HOLD_ALL, True, Status.HELD),
    ],
)
def test_the_policy_decides_over_guests(policy: Policy, known: bool, status: Status) -> None:
    assert decided(policy=policy, known=known) is status


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("policy", [Policy.OPEN, Policy.HOLD_FIRST, Policy.HOLD_ALL])
def test_a_member_passes_every_policy_and_may_be_quick(policy: Policy, role: Role) -> None:
    assert decided(policy=policy, role=role, seconds_on_form=0.1) is Status.APPROVED


def test_a_member_does_not_pass_the_sanitisers_disagreement() -> None:
    assert decided(role=Role.OWNER, sanitisers_agreed=False) is Status.HELD


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 1.99])
def test_nobody_is_faster_than_reading(seconds: float) -> None:
    assert decided(seconds_on_form=seconds) is Status.HELD


def test_spam_is_stricter_than_waiting() -> None:
    assert decided(policy=Policy.HOLD_ALL, honeypot_filled=True, seconds_on_form=0.0) is Status.SPAM


def test_the_order_of_the_verdicts_does_not_matter() -> None:
    verdicts = [Verdict("x", status, "x") for status in (Status.APPROVED, Status.HELD, Status.SPAM)]
    assert {checks.strictest(list(order)) for order in itertools.permutations(verdicts)} == {Status.SPAM}


def test_no_verdict_at_all_waits() -> None:
    assert checks.strictest([]) is Status.HELD


def test_every_submission_gets_a_reason_in_words() -> None:
    for policy, role, known, filled, seconds, agreed in itertools.product(
        Policy, (None, *Role), (True, False), (True, False), (0.0, 60.0), (True, False)
    ):
        verdicts = checks.screen(
            submission(
                policy=policy,
                role=role,
                known=known,
                honeypot_filled=filled,
                seconds_on_form=seconds,
                sanitisers_agreed=agreed,
            )
        )
        assert verdicts
        assert all(verdict.reason.endswith(".") and verdict.check for verdict in verdicts)


class TestWords:
    @pytest.mark.parametrize(
        ("word", "text"),
        [
            ("press", "See my WordPress blog"),
            ("CASINO", "the best casino"),
            ("ｃasino", "the best casino"),  # noqa: RUF001
            ("cas*no", "the best casiiino in town"),
            ("*casino*", "the best casino"),
            ("cheap watches", "Cheap Watches here"),
            ("a*b*c", "xaxxbxxcx"),
            ("1.2.3.", "1.2.3.4"),
        ],
    )
    def test_are_found_inside_others_in_any_case(self, word: str, text: str) -> None:
        assert wordlists.find(f"# a remark\n\nnothing\n{word}", {"text": text}) == Match(word, "text")

    @pytest.mark.parametrize(
        ("word", "text"),
        [
            ("cas*no", "cas and no"),
            ("*", "anything"),
            ("# casino", "casino"),
            ("", "casino"),
            (".", "no full stop"),
            ("[a-z]+", "letters"),
        ],
    )
    def test_find_nothing_else(self, word: str, text: str) -> None:
        assert wordlists.find(word, {"text": text}) is None

    def test_take_their_time_by_the_length_of_the_text_alone(self) -> None:
        started = time.perf_counter()
        wordlists.find("\n".join(f"a{'*a' * 20}b{n}" for n in range(100)), {"text": "a" * 10_000})
        assert time.perf_counter() - started < 5

    @pytest.mark.parametrize("value", ["x" * 201, "x\n" * 2_001])
    def test_have_their_limits(self, value: str) -> None:
        with pytest.raises(InvalidFieldsError) as caught:
            wordlists.check(value, field="moderation_words")
        assert list(caught.value.fields) == ["moderation_words"]

    @pytest.mark.parametrize("field", ["text", "name", "e-mail address", "website", "network address"])
    def test_hold_or_condemn_wherever_they_stand(self, field: str) -> None:
        words = {field: "a casino b"}
        assert decided(words=words, rules=Rules(moderation_words="casino")) is Status.HELD
        assert decided(words=words, rules=Rules(disallowed_words="casino")) is Status.SPAM
        assert (
            decided(words=words, rules=Rules(disallowed_words="casino"), role=Role.OWNER) is Status.APPROVED
        )


@pytest.mark.parametrize(
    ("number", "most", "status"),
    [
        (2, 2, Status.APPROVED),
        (3, 2, Status.HELD),
        (1, 0, Status.HELD),
        (0, 0, Status.APPROVED),
        (99, None, Status.APPROVED),
    ],
)
def test_more_links_than_the_site_wants_wait(number: int, most: int | None, status: Status) -> None:
    assert decided(links=number, rules=Rules(most_links=most)) is status


@pytest.mark.parametrize("address", ["https://a.example/", "mailto:a@a.example"])
def test_every_use_of_an_address_is_a_link(session: Session, site: Site, address: str) -> None:
    site.policy, site.most_links = Policy.OPEN, 2
    pen = article(session, site)
    text = f"One [a]({address}) and two [b]({address})"
    assert pen.write(text).status is Status.APPROVED
    assert pen.write(f"{text} and three [c]({address})").status is Status.HELD


def test_the_link_of_a_quote_of_the_article_is_not_counted(session: Session, site: Site) -> None:
    site.policy, site.most_links = Policy.OPEN, 0
    pen = article(session, site, "/on_(bridges)?page=2")
    quoted = "Quoting [the article]({}):\n\n> The bridge is closed.\n\nIs it?"
    own = article_urls.text_link_prefix(pen.address.url)
    assert own.endswith("/on_%28bridges%29?page=2#:~:text=")
    comment = pen.write(quoted.format(f"{own}The%20bridge,is%20closed."))
    assert comment.status is Status.APPROVED
    assert f'<a href="{own}The%20bridge,is%20closed."' in comment.html
    for address in (
        pen.address.url,
        own.replace("/on_", "/off_") + "Elsewhere",
        own.replace("://", "://spam.example/") + "Elsewhere",
    ):
        assert pen.write(quoted.format(address)).status is Status.HELD, address
    assert pen.write(f"{quoted.format(own + 'The')} https://spam.example").status is Status.HELD


@pytest.mark.parametrize("known", [True, False])
def test_a_name_that_claims_a_role_waits(known: bool) -> None:
    assert decided(words={"name": "Ann (Author)"}, known=known) is Status.HELD
    assert decided(words={"name": "Ann (Author)"}, role=Role.OWNER) is Status.APPROVED
    assert decided(words={"name": "Ann Authority"}, known=True) is Status.APPROVED


def test_a_name_like_a_members_waits_even_of_somebody_known() -> None:
    owner, reader = Namesake("Ada", Role.OWNER), Namesake("Ben", None)
    assert decided(namesake=owner, known=True) is Status.HELD
    assert decided(namesake=reader) is Status.HELD
    assert decided(namesake=reader, known=True) is Status.APPROVED


@pytest.mark.parametrize(
    ("value", "status"), [(0.95, Status.HELD), (0.9, Status.HELD), (0.5, Status.APPROVED)]
)
def test_the_filter_holds_what_it_is_sure_of(value: float, status: Status) -> None:
    verdicts = checks.screen(submission(score=Score(value, ())))
    assert checks.strictest(verdicts) is status
    assert [row["score"] for row in (one.as_row() for one in verdicts) if "score" in row] == [value]


def test_a_services_opinion_counts_like_a_check() -> None:
    assert decided(opinions=(Verdict("akismet", Status.SPAM, "Surely."),)) is Status.SPAM


class TestOnTheirWay:
    def test_a_comment_with_a_word_is_kept_as_spam_with_the_reason(
        self, session: Session, site: Site
    ) -> None:
        site.disallowed_words = "casino"
        comment = article(session, site).write("The best CASINO")
        assert comment.status is Status.SPAM
        reasons = [row["reason"] for row in comment.decisions[0].reasons if row["check"] == "disallowed"]
        assert reasons == ["Its text has “casino”, which this site disallows."]

    def test_links_are_counted_in_what_readers_would_see(self, session: Session, site: Site) -> None:
        pen = article(session, site)
        assert pen.write("[a](https://a.example) <https://b.example>").status is Status.APPROVED
        assert pen.write("https://a.example [b](https://b.example) <https://c.example>").status is Status.HELD

    def test_a_guest_with_the_owners_name_waits(self, session: Session, site: Site) -> None:
        comment = article(session, site).write(by=Guest("Sіte 0wner", "x@mail.example"))  # noqa: RUF001
        assert comment.status is Status.HELD
        assert "the site's owner" in str(comment.decisions[0].reasons)
