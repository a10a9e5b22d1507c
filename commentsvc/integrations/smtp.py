"""Sends mail through an SMTP server; the only importer of smtplib."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from commentsvc import host_names
from commentsvc.errors import MailError

PATIENCE = 10.0
"""Timeout for each response of the server, in seconds."""
MAILS_PER_CONNECTION = 50
SUBJECT_LONGEST = 200
_HEADER_LONGEST = 990
"""Characters in one line of a mail."""
_NO_SUCH_ADDRESS = re.compile(r"\b5\.1\.(?:1|2|10)\b")
_FULL = 552
"""The mailbox is full, which passes."""
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


class _UnfoldedHeader(UnstructuredHeader):
    """A header on one line, as it is.

    Python writes a word of more than 77 characters as an encoded word, in which mail programs recognise no address.
    """

    name: str

    def fold(self, *, policy: policy.EmailPolicy) -> str:
        """Return the header's line."""
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> policy.EmailPolicy[EmailMessage]:
    registry: Any = HeaderRegistry()
    for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "In-Reply-To", "References"):
        registry.map_to_type(name, _UnfoldedHeader)
    return policy.default.clone(header_factory=registry)


_POLICY = _policy()


def send(
    relay: SmtpServer,
    sender: str,
    recipient: str,
    subject: str,
    text: str,
    *,
    number: int,
    html: str = "",
    sender_name: str = "",
    message_id: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    connection: SmtpConnection | None = None,
) -> None:
    """Send one mail, by an open connection or by one of its own; raises MailError.

    `message_id`, or `number` without one, determines its Message-ID, so that servers recognise a mail that is sent
    again. `headers` are more headers, in ASCII.
    """
    recipient = _in_ascii(recipient)
    message = EmailMessage(_POLICY)
    message["From"] = Address(one_line(sender_name), addr_spec=sender) if sender_name else sender
    message["To"], message["Subject"] = recipient, one_line(subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{message_id or f'commentsvc.{number}.{sender}'}>"
    message["Auto-Submitted"] = "auto-generated"
    encoding = (
        "7bit" if text.isascii() and html.isascii() and _fits(text) and _fits(html) else "quoted-printable"
    )
    message.set_content(text, cte=encoding)
    if html:
        message.add_alternative(html, subtype="html", cte=encoding)
    for name, value in headers:  # last, or Content-Language would be moved into the first part
        message[name] = one_line(value, longest=_HEADER_LONGEST)
    with _connected(relay, sender) if connection is None else connection.ready() as server:
        if not recipient.isascii() and not server.has_extn("smtputf8"):
            raise MailError("The mail server takes only addresses in ASCII.", lasting=True)
        server.send_message(message, sender, [recipient])


def _in_ascii(address: str) -> str:
    """Return an address whose domain is as DNS has it."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{host_names.in_ascii(domain)}"
    except ValueError:
        return address


def _fits(text: str) -> bool:
    """Whether no line is longer than SMTP allows."""
    return all(len(line) <= _HEADER_LONGEST for line in text.splitlines())


def greet(relay: SmtpServer) -> str:
    """Connect, encrypt and log in without sending mail; return a description of the connection. Raises MailError."""
    with _connected(relay) as connection:
        encrypted = isinstance(connection.sock, ssl.SSLSocket)
        connection.noop()
    return f"{'encrypted' if encrypted else 'not encrypted'}{', logged in' if relay.user else ''}"


def one_line(text: str, *, longest: int = SUBJECT_LONGEST) -> str:
    """Return text for a header: without line breaks and invisible characters, and not too long.

    `EmailMessage` refuses line breaks, but it decodes encoded words, in which a line break can be hidden.
    """
    shown = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(shown.replace("=?", "= ?").split())[:longest]


class SmtpConnection:
    """A connection for several mails: opened when needed, and renewed after some mails and after an error."""

    def __init__(self, relay: SmtpServer, sender: str) -> None:
        self._relay, self._sender = relay, sender
        self._server: smtplib.SMTP | None = None
        self._left = 0

    @contextmanager
    def ready(self) -> Iterator[smtplib.SMTP]:
        """Yield the connection, logged in, for one mail; what goes wrong is raised as MailError."""
        try:
            with _as_mail_errors(self._relay):
                if self._server is None or self._left == 0:
                    self.close()
                    self._server, self._left = _logged_in(self._relay, self._sender), MAILS_PER_CONNECTION
                self._left -= 1
                yield self._server
        except MailError:
            self.close()
            raise

    def close(self) -> None:
        """End the session with QUIT, if the server still answers, and close the connection."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()


@contextmanager
def _connected(relay: SmtpServer, sender: str = "") -> Iterator[smtplib.SMTP]:
    connection = SmtpConnection(relay, sender)
    try:
        with connection.ready() as server:
            yield server
    finally:
        connection.close()


def _logged_in(relay: SmtpServer, sender: str) -> smtplib.SMTP:
    context = relay.context or ssl.create_default_context()
    server = _open(relay, context, sender)
    try:
        server.ehlo_or_helo_if_needed()
        if not relay.tls_from_the_start and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
        if relay.user:
            if not isinstance(server.sock, ssl.SSLSocket) and relay.host not in _LOOPBACK:
                raise MailError("The mail server offers no encryption; the password is not sent.", ours=True)
            server.login(relay.user, relay.password)
    except BaseException:
        server.close()
        raise
    return server


@contextmanager
def _as_mail_errors(relay: SmtpServer) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        raise _refused_recipient(code, _words(answer)) from None
    except smtplib.SMTPAuthenticationError as error:  # temporary: the operator can fix it
        text = f"The mail server refused the login: {_words(error.smtp_error)}"
        raise MailError(text, ours=True) from None
    except smtplib.SMTPResponseException as error:
        text = f"The mail server said {error.smtp_code} {_words(error.smtp_error)}"
        # The operator can fix an error of the server or the sender; only a refused mail stays refused.
        is_mail = isinstance(error, smtplib.SMTPDataError)
        raise MailError(text, lasting=is_mail and error.smtp_code >= 500, ours=not is_mail) from None
    except (
        smtplib.SMTPException,
        OSError,
        UnicodeError,
    ) as error:  # the last: an invalid host name, or a password that is not ASCII
        text = f"{relay.host}:{relay.port}: {one_line(str(error)) or type(error).__name__}"
        raise MailError(text, ours=not isinstance(error, smtplib.SMTPServerDisconnected)) from None


def _refused_recipient(code: int, words: str) -> MailError:
    """Return the error for an address that the server refused."""
    lasting = code >= 500 and code != _FULL
    is_unknown = lasting and _NO_SUCH_ADDRESS.search(words) is not None
    return MailError(
        f"The mail server said {code} {words}",
        lasting=lasting,
        no_such_address=is_unknown,
        refused=lasting and not is_unknown,
    )


def _open(relay: SmtpServer, context: ssl.SSLContext, sender: str) -> smtplib.SMTP:
    # A server may refuse a name that is not a full one, which the machine's own often is not.
    name = _in_ascii(sender).rpartition("@")[2] or None
    if relay.tls_from_the_start:
        return smtplib.SMTP_SSL(relay.host, relay.port, name, timeout=PATIENCE, context=context)
    return smtplib.SMTP(relay.host, relay.port, name, timeout=PATIENCE)


def _words(message: bytes | str) -> str:
    return one_line(message.decode("utf-8", "replace") if isinstance(message, bytes) else message)
