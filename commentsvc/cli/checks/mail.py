"""Checks the mail server."""

from __future__ import annotations

from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.errors import MailError


def finding(settings: Settings) -> Finding:
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
