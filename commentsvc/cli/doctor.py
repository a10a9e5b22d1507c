"""The `doctor` command: checks the setup, and says how to fix what is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import click
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.checks import clock, mail, providers, reachability, running_service, storage, websites
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import Settings
from commentsvc.domain import fields
from commentsvc.domain.maintenance import work_rounds
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import now
from commentsvc.serving.page_cache import change_broadcast


def _read_address(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Read an e-mail address; raises a usage error."""
    try:
        return None if value is None else fields.email(value)
    except InvalidFieldsError as error:
        raise click.BadParameter(error.fields["email"], context, option) from None


@click.command()
@click.option(
    "--mail-to", "test_address", metavar="ADDRESS", callback=_read_address, help="Send a test mail there."
)
@click.pass_context
def doctor(context: click.Context, test_address: str | None) -> None:
    """Check that everything is set up correctly.

    It asks the running service at its address, opens the sites, logs in to the mail server, sends a test mail if you
    say where to, and asks each login provider whether it knows the client and the redirect address. A question mark
    stands beside what it cannot tell. The exit code is 1 if there is something to fix.
    """
    settings = service.settings()
    is_well = True
    with service.opened(settings) as session:
        for finding in _findings(session, settings, test_address):
            finding.show()
            is_well = is_well and not finding.advice
    providers.name_the_others(settings)
    if not is_well:
        context.exit(1)


def _findings(session: Session, settings: Settings, test_address: str | None) -> Iterator[Finding]:
    dates: dict[str, str] = {}
    for finding in storage.database(session, settings):
        yield finding
        if finding.advice == storage.RESTORE:
            return
    yield storage.proved_backups(settings, at=now())
    yield storage.ledger(session, settings)
    yield from _service(session, settings, dates)
    if settings.redis_url:
        yield _redis(settings)
    yield websites.readers(session)
    yield from websites.findings(session, settings)
    yield _background_work(session)
    yield from mail.findings(settings, test_address)
    yield from providers.findings(settings, dates)
    yield clock.finding(session, dates, at=now())


def _service(session: Session, settings: Settings, dates: dict[str, str]) -> Iterator[Finding]:
    yield reachability.address(settings)
    reached = reachability.reached(settings)
    yield reached.finding
    if reached.certificate:
        yield reachability.certificate(reached.certificate, at=now())
    if reached.date:
        dates["the service"] = reached.date
    if reached.is_service:
        yield from running_service.findings(session, settings)
    else:
        yield from running_service.proxies_untried(settings)


def _background_work(session: Session) -> Finding:
    """Check whether some process does the background work, which another WSGI server does not do."""
    last = session.scalar(work_rounds.last_round)
    advice = (
        "No mail is sent, no title is read, and nothing that has expired is deleted. `commentsvc serve` does this; "
        "beside another WSGI server, run `commentsvc work`."
    )
    state = f"last done on {last:%Y-%m-%d at %H:%M} UTC" if last else "was never done"
    return Finding("Background work", state, advice if work_rounds.is_late(last, at=now()) else "")


def _redis(settings: Settings) -> Finding:
    where = service.without_password(settings.redis_url)
    if reason := change_broadcast.connection_error(settings.redis_url):
        advice = (
            f"{reason} Until it answers, nothing is limited, and other machines see changes within a second."
        )
        return Finding("Redis", f"{where} does not answer", advice)
    return Finding("Redis", f"{where} answers")
