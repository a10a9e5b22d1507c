"""Sends mail through an SMTP server; the only importer of smtplib."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from commentsvc.errors import MailError

PATIENCE = 10.0
"""Timeout for each response of the server, in seconds."""
SUBJECT_LONGEST = 200
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class SmtpServer:
    """The server that accepts our mail, and our login there."""

    host: str
    port: int
    tls_from_the_start: bool
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)
    """Which certificates to trust; None: the system's."""

    @classmethod
    def read(cls, url: str) -> SmtpServer:
        """Parse `smtp://user:password@host:port` or `smtps://…`, which the settings have validated."""
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname or "", port, parts.scheme == "smtps", user, password)


def send(relay: SmtpServer, sender: str, recipient: str, subject: str, text: str, *, number: int) -> None:
    """Send one mail; raises MailError.

    `number` determines its Message-ID, so that servers recognise a mail that is sent again.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, one_line(subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<commentsvc.{number}.{sender}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    with _connected(relay) as connection:
        connection.send_message(message, sender, [recipient])


def greet(relay: SmtpServer) -> str:
    """Connect, encrypt and log in without sending mail; return a description of the connection. Raises MailError."""
    with _connected(relay) as connection:
        encrypted = isinstance(connection.sock, ssl.SSLSocket)
        connection.noop()
    return f"{'encrypted' if encrypted else 'not encrypted'}{', logged in' if relay.user else ''}"


def one_line(text: str) -> str:
    """Return text for a header: without line breaks and invisible characters, and not too long.

    `EmailMessage` refuses line breaks, but it decodes encoded words, in which a line break can be hidden.
    """
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.replace("=?", "= ?").split())[:SUBJECT_LONGEST]


@contextmanager
def _connected(relay: SmtpServer) -> Iterator[smtplib.SMTP]:
    context = relay.context or ssl.create_default_context()
    try:
        with _open(relay, context) as connection:
            connection.ehlo_or_helo_if_needed()
            if not relay.tls_from_the_start and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo_or_helo_if_needed()
            if relay.user:
                if not isinstance(connection.sock, ssl.SSLSocket) and relay.host not in _LOOPBACK:
                    raise MailError("The mail server offers no encryption; the password is not sent.")
                connection.login(relay.user, relay.password)
            yield connection
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise MailError(f"The mail server said {code} {_words(answer)}", lasting=code >= 500) from None
    except smtplib.SMTPAuthenticationError as error:  # temporary: the operator can fix it
        raise MailError(f"The mail server refused the login: {_words(error.smtp_error)}") from None
    except smtplib.SMTPResponseException as error:
        text = f"The mail server said {error.smtp_code} {_words(error.smtp_error)}"
        # The operator can fix an error of the server or the sender; only a refused mail stays refused.
        lasting = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        raise MailError(text, lasting=lasting) from None
    except (
        smtplib.SMTPException,
        OSError,
        UnicodeError,
    ) as error:  # the last: an invalid host name, or a password that is not ASCII
        raise MailError(
            f"{relay.host}:{relay.port}: {one_line(str(error)) or type(error).__name__}"
        ) from None


def _open(relay: SmtpServer, context: ssl.SSLContext) -> smtplib.SMTP:
    if relay.tls_from_the_start:
        return smtplib.SMTP_SSL(relay.host, relay.port, timeout=PATIENCE, context=context)
    return smtplib.SMTP(relay.host, relay.port, timeout=PATIENCE)


def _words(message: bytes | str) -> str:
    return one_line(message.decode("utf-8", "replace") if isinstance(message, bytes) else message)
