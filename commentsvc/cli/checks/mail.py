"""Checks the mail server, to the end if there is an address for a test mail."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.errors import MailError

SUBJECT = "A test mail of commentsvc"
_TEXT = """\
`commentsvc doctor` sent this: {base_url} can send mail.

What it cannot see is whether other mail servers trust these mails. Look at the source of this one, at the line
Authentication-Results, which your mail server has added: it should say spf=pass or dkim=pass, and dmarc=pass for
{domain}. If this mail was in the spam folder, or a pass is missing, set up what is missing in the DNS of {domain}
and at the server that sends, {host}: SPF, DKIM (it should sign List-Unsubscribe and List-Unsubscribe-Post too), and
a name for its address (PTR).
"""


def findings(settings: Settings, test_address: str | None) -> Iterator[Finding]:
    """Yield whether the server takes our login and, with an address, a test mail to it."""
    yield (_sent(settings, test_address) if test_address and settings.smtp_url else _greeted(settings))
    if settings.smtp_url:
        yield _delivery(settings, was_sent=bool(test_address))
    elif test_address:
        yield Finding("Test mail", "is not sent", f"It needs {PREFIX}SMTP_URL.")


def _greeted(settings: Settings) -> Finding:
    """Connect to the mail server and log in, without sending mail."""
    if not settings.smtp_url:
        advice = f"{PREFIX}ALERT_MAIL needs {PREFIX}SMTP_URL." if settings.alert_mail else ""
        return Finding("Mail", "none is sent", advice)
    from commentsvc.integrations import smtp  # here, because not every service sends mail

    relay = smtp.SmtpServer.read(settings.smtp_url)
    where = f"from {settings.sender} by {relay.host}:{relay.port}"
    try:
        return Finding("Mail", f"{where}: {smtp.greet(relay)}")
    except MailError as error:
        return Finding("Mail", where, f"{error} Check {PREFIX}SMTP_URL.")


def _sent(settings: Settings, address: str) -> Finding:
    """Send a test mail, as the service sends its mails."""
    from commentsvc.integrations import smtp  # as above

    relay = smtp.SmtpServer.read(settings.smtp_url)
    where = f"from {settings.sender} by {relay.host}:{relay.port}"
    domain = settings.sender.rpartition("@")[2]
    text = _TEXT.format(base_url=settings.base_url, domain=domain, host=relay.host)
    # A name of its own, because mail programs show a mail only once.
    message_id = f"test.{secrets.token_hex(8)}@{domain}"
    try:
        how = smtp.greet(relay)
        smtp.send(relay, settings.sender, address, SUBJECT, text, number=0, message_id=message_id)
    except MailError as error:
        setting = (
            "the address" if error.lasting and not error.ours else f"{PREFIX}SMTP_URL and {PREFIX}MAIL_FROM"
        )
        return Finding("Mail", where, f"{error} Check {setting}.")
    return Finding("Mail", f"{where}: {how}; it took a test mail for {address}")


def _delivery(settings: Settings, *, was_sent: bool) -> Finding:
    domain = settings.sender.rpartition("@")[2]
    state = f"SPF and DKIM of {domain}, and PTR of the server that sends, cannot be checked from here"
    how = (
        "the test mail says how to see them"
        if was_sent
        else "`doctor --mail-to YOU` sends a mail that says how"
    )
    return Finding("Mail's way", f"{state}: {how}", is_known=False)
