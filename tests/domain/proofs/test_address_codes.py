"""A code proves one address, to one site, for the browser that asked for it: once, within minutes, in five tries."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.db.session import begin_write
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.proofs.address_codes import LIFE, LONG_PAUSE, MOST_MAILS, MOST_PER_HOUR, PAUSE, TRIES
from commentsvc.domain.proofs.address_proofs import AddressClaim
from commentsvc.errors import TooManyError
from commentsvc.models import AddressCode, AddressProof, Delivery, Site
from tests.support.comment_builders import NOON
from tests.support.language_marks import mark_words

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

ANNA = "anna@mail.example"
SECRET = "s" * 32
SECOND = timedelta(seconds=1)


def claim(site: Site, email: str = ANNA, browser: str = "a") -> AddressClaim:
    return AddressClaim(site.id, address_proofs.email_hash(b"k", email), browser * 64)


def send(session: Session, site: Site, email: str = ANNA, browser: str = "a", at: datetime = NOON) -> None:
    address_codes.send(session, site, email, claim(site, email, browser), secret=SECRET, at=at)
    session.flush()


def codes(session: Session) -> list[str]:
    """The codes in the mails that wait, the latest last."""
    return [(text or "")[:6] for text in session.scalars(select(Delivery.text).order_by(Delivery.id))]


def redeem(session: Session, of: AddressClaim, code: str, at: datetime = NOON) -> bool:
    return address_codes.redeem(session, of, code, secret=SECRET, at=at)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def test_the_right_code_proves_the_address_once(session: Session, site: Site) -> None:
    send(session, site)
    (code,) = codes(session)
    assert not address_proofs.is_proved(session, claim(site))
    assert redeem(session, claim(site), code)
    assert address_proofs.is_proved(session, claim(site))
    assert redeem(session, claim(site), code)  # the form was sent twice
    address_proofs.forget_browsers(session, ["a" * 64])
    assert not redeem(session, claim(site), code)


def test_a_used_code_proves_nothing_again(session: Session, site: Site) -> None:
    send(session, site)
    (code,) = codes(session)
    assert redeem(session, claim(site), code)
    session.execute(delete(AddressProof))
    assert not redeem(session, claim(site), code)


@pytest.mark.parametrize("tries", [TRIES - 1, TRIES])
def test_after_five_wrong_tries_the_right_code_is_wrong(session: Session, site: Site, tries: int) -> None:
    send(session, site)
    (code,) = codes(session)
    for _ in range(tries):
        assert not redeem(session, claim(site), wrong(code))
    assert redeem(session, claim(site), code) is (tries < TRIES)


def test_a_code_expires(session: Session, site: Site) -> None:
    send(session, site)
    (code,) = codes(session)
    assert not redeem(session, claim(site), code, NOON + LIFE)
    assert redeem(session, claim(site), code, NOON + LIFE - SECOND)


def test_a_code_is_for_its_address_browser_and_site_only(session: Session, site: Site) -> None:
    other = Site(name="Other")
    session.add(other)
    session.flush()
    send(session, site)
    send(session, site, "mallory@mail.example", "b")
    code, _ = codes(session)
    for of in (claim(site, browser="b"), claim(site, "mallory@mail.example", "b"), claim(other)):
        assert not redeem(session, of, code)
    assert redeem(session, claim(site), code)
    assert not address_proofs.is_proved(session, claim(other))


def test_an_address_gets_one_mail_an_hour_and_three_a_day_whoever_asks(session: Session, site: Site) -> None:
    for number in range(24 * 3):
        email, browser = (ANNA, ANNA.upper())[number % 2], "abc"[number % 3]
        send(session, site, email, browser, NOON + timedelta(minutes=20 * number))
    assert len(codes(session)) == MOST_MAILS
    sent = session.scalars(select(Delivery.created_at).order_by(Delivery.id)).all()
    assert sent == [NOON + PAUSE * number for number in range(MOST_MAILS)]
    send(session, site, at=sent[-1] + LONG_PAUSE)
    assert len(codes(session)) == MOST_MAILS + 1


def test_who_used_a_code_may_ask_again_after_an_hour(session: Session, site: Site) -> None:
    at = NOON
    for number in range(MOST_MAILS + 2):
        send(session, site, browser="abcdef"[number], at=at)
        assert redeem(session, claim(site, browser="abcdef"[number]), codes(session)[-1], at)
        at += PAUSE
    assert len(codes(session)) == MOST_MAILS + 2


def test_all_addresses_together_get_sixty_mails_an_hour(session: Session, site: Site) -> None:
    for number in range(MOST_PER_HOUR):
        send(session, site, f"{number}@mail.example", at=NOON + SECOND * number)
    with pytest.raises(TooManyError):
        send(session, site, "one-more@mail.example", at=NOON + PAUSE - SECOND)
    send(session, site, "one-more@mail.example", at=NOON + PAUSE + SECOND)
    assert len(codes(session)) == MOST_PER_HOUR + 1


def test_the_mail_has_nobodys_words_and_the_database_no_code(session: Session, site: Site) -> None:
    send(session, site)
    (mail,) = session.scalars(select(Delivery))
    (row,) = session.scalars(select(AddressCode))
    code = codes(session)[0]
    assert (mail.recipient, mail.subject) == (ANNA, f"{code} is your code for Blog")
    assert "12:10 UTC" in str(mail.text)
    assert "://" not in str(mail.text)
    assert code not in f"{row.code_hash}"
    assert ANNA not in f"{row.email_hash}"
    address_codes.send(session, site, ANNA, claim(site), secret="another", at=NOON + PAUSE)
    assert not redeem(session, claim(site), codes(session)[-1], NOON + PAUSE)  # made with another secret


def test_the_mail_is_in_the_language_of_the_form(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_words(monkeypatch)
    with messages.using("ar"):
        send(session, site)
    (mail,) = session.scalars(select(Delivery))
    assert str(mail.subject).startswith("[ar] ")
    assert "the comment form of \u2068Blog\u2069," in str(mail.text)
    assert str(mail.text).count("[ar] ") == 3


def test_many_tries_at_once_count_as_many(session: Session, site: Site) -> None:
    send(session, site)
    (code,) = codes(session)
    session.commit()
    engine, results = session.get_bind().engine, []

    def attempt(typed: str) -> None:
        with Session(engine) as own:
            begin_write(own)
            results.append(redeem(own, claim(site), typed))
            own.commit()

    tries = [threading.Thread(target=attempt, args=(wrong(code),)) for _ in range(TRIES)]
    for each in tries:
        each.start()
    for each in tries:
        each.join()
    assert results == [False] * TRIES
    begin_write(session)
    assert not redeem(session, claim(site), code)
