"""Asks the running service whether it has the settings, the code and the database that this command sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from sqlalchemy.orm import Session

from commentsvc import installed_code
from commentsvc.cli.checks import reachability
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.db.session import sqlite_file
from commentsvc.domain.maintenance import setup_check
from commentsvc.domain.maintenance.setup_check import SetupAnswer
from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.serving import service_lock
from commentsvc.web.setup_check import HEADER

SUBJECT = "Running service"
TRIES = 6
"""Number of questions: if two services share one port, each almost certainly answers at least one."""
PROXIES = f"{PREFIX}TRUSTED_PROXIES"
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - compared, not bound
_RESTART = "Restart it (`systemctl restart commentsvc`, or end `commentsvc serve` and start it again)."
_ONE_NETWORK = "so all readers count as one network: for limits, bans and reports"


@dataclass(frozen=True)
class Asked:
    """One question to a service, and what came back."""

    nonce: str
    answer: SetupAnswer | None = None
    status: int = 0
    """0 if there was no response."""
    error: str = ""


def ask(settings: Settings, base: str) -> Asked:
    """Ask the service at `base` one question."""
    nonce, token = setup_check.new_question(settings.secret_key)
    own = setup_check.hashes(settings, installed_code.fingerprint(), nonce)
    try:
        response = client.fetch(
            f"{base}/doctor",
            method="POST",
            headers={HEADER: token, "Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(own).encode(),
            largest=100_000,
            seconds=reachability.SECONDS,
            accept=frozenset({"text/plain"}),
            allow_private=True,
        )
    except OutboundError as error:
        return Asked(nonce, error=str(error))
    text = response.body.decode(errors="replace")
    return Asked(nonce, SetupAnswer.read(settings.secret_key, nonce, text), response.status)


def findings(session: Session, settings: Settings) -> Iterator[Finding]:
    """Compare the service at the base URL with what this command sees."""
    asked = [ask(settings, settings.base_url) for _ in range(TRIES)]
    answered = [one for one in asked if one.answer]
    answers = [one.answer for one in asked if one.answer]
    if not answers:
        yield _no_answer(asked[0])
        return
    session.rollback()  # a new transaction, which sees what the service has stored
    stored = {setup_check.is_spent(session, one.nonce) for one in answered}
    silent = [one for one in asked if not one.answer]
    yield _same(settings, silent, answers, stored)
    different = sorted({name for answer in answers for name in answer.different})
    yield from _settings(different)
    if any(answer.has_other_code for answer in answers):
        advice = f"It was updated, but not restarted, or this command is another installation. {_RESTART}"
        yield Finding("Its version", "is another one than this command's", advice)
    if stored != {True}:
        advice = (
            f"This command reads another one. Compare {PREFIX}DATABASE_URL and {PREFIX}DATA_DIR; "
            "a file that was replaced while the service ran is another one, too."
        )
        yield Finding("Its database", "is another one", advice)
    yield from _proxy(settings, answers)


def proxies_untried(settings: Settings) -> Iterator[Finding]:
    """Say what can be said about proxies if the service could not be asked."""
    if not settings.secure:
        return
    if settings.trusted_proxies:
        state = f"{', '.join(map(str, settings.trusted_proxies))}; not tried"
        yield Finding("Trusted proxies", state, is_known=False)
    else:
        advice = (
            f"Behind a proxy all readers count as one network. Set {PROXIES} to its address, as 127.0.0.1."
        )
        yield Finding("Trusted proxies", "none", advice)


def _no_answer(asked: Asked) -> Finding:
    if asked.status == HTTPStatus.SERVICE_UNAVAILABLE:
        advice = "It can store nothing now: its database does not answer, or it moves. Its log says which."
        return Finding(SUBJECT, "answers, and refuses every change", advice)
    if asked.error or asked.status not in {404, 429}:
        reason = asked.error or f"It answers the question with {asked.status}."
        advice = f"{reason} Something in front must let `POST /doctor` pass."
        return Finding(SUBJECT, "could not be asked", advice)
    if asked.status == 429:
        return Finding(SUBJECT, "was asked too often", "Run this command again in a minute.")
    return Finding(
        SUBJECT,
        "is another one",
        f"It has another secret key, or an older version. {_RESTART} If it is a second service, stop it, or correct "
        f"{reachability.BASE_URL}. If it is the right one, run this command with its {PREFIX}DATA_DIR and variables.",
    )


def _same(
    settings: Settings, silent: Sequence[Asked], answers: Sequence[SetupAnswer], stored: set[bool]
) -> Finding:
    """Check that one service answers, and not two in turn."""
    runs = {answer.service for answer in answers}
    says = {(tuple(answer.different), answer.has_other_code) for answer in answers}
    if silent or (len(runs) > 1 and (len(says) > 1 or len(stored) > 1)):
        advice = (
            f"Only some of {TRIES} questions reached this one. Find the other (`ss -ltnp` lists what listens), "
            "and stop it, or take it out of the proxy."
        )
        return Finding(SUBJECT, "takes turns with another one", advice)
    elsewhere = _elsewhere(settings, runs)
    if elsewhere:
        advice = (
            f"One answers at {settings.base_url}, another listens at {elsewhere}. "
            "Stop the one that is not meant to run."
        )
        return Finding(SUBJECT, "is one of two on this database", advice)
    return Finding(SUBJECT, "is this one")


def _elsewhere(settings: Settings, runs: set[str]) -> str | None:
    """Return the address of a service with our SQLite file that is none of `runs`.

    Several services with one PostgreSQL database are several machines, as docs/growing.md recommends.
    """
    where = service_lock.address_of_service(settings.data_dir)
    if where is None or not sqlite_file(settings.database_url):
        return None
    host, colon, port = where.rpartition(":")
    direct = f"http://{_EVERYWHERE.get(host, host)}{colon}{port}{urlsplit(settings.base_url).path}"
    answer = ask(settings, direct).answer
    return where if answer and answer.service not in runs else None


def _settings(different: Sequence[str]) -> Iterator[Finding]:
    if not different:
        yield Finding("Its settings", "are as this command reads them")
        return
    advice = (
        f"A change counts only after a restart. {_RESTART} If that changes nothing, this command does not see the "
        "variables that the service is started with, as in a systemd unit or a container."
    )
    yield Finding("Its settings", f"differ: {', '.join(different)}", advice)


def _proxy(settings: Settings, answers: Sequence[SetupAnswer]) -> Iterator[Finding]:
    """Check whether readers can be told apart: with https, there is a proxy."""
    forwarded = all(answer.forwarded for answer in answers)
    by_proxy = all(answer.by_trusted_proxy for answer in answers)
    if forwarded and by_proxy:
        yield Finding("Trusted proxies", "the request came by one")
    elif forwarded:
        state = f"the request came by another one than {_listed(settings)}"
        advice = (
            f"It is not believed, {_ONE_NETWORK}. Set {PROXIES} to its address; "
            "the service's log has a warning that names it."
        )
        yield Finding("Trusted proxies", state, advice)
    elif settings.secure:
        more = "" if by_proxy else f", and set {PROXIES} to the proxy's address"
        advice = f"The proxy sends no X-Forwarded-For, {_ONE_NETWORK}. Let it (docs/serving.md){more}."
        yield Finding("Trusted proxies", _listed(settings), advice)


def _listed(settings: Settings) -> str:
    return ", ".join(map(str, settings.trusted_proxies)) or "none"
