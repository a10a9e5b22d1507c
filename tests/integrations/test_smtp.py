"""Mail handed in at a real SMTP server: encrypted, logged in, and with no header that somebody else wrote."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from commentsvc.config import Settings
from commentsvc.errors import MailError, SettingsError
from commentsvc.integrations import smtp
from commentsvc.integrations.smtp import SmtpServer
from tests.support.certificates import Authority
from tests.support.mail_server import Mailbox, mail_server
from tests.support.processes import free_port


def send(
    relay: SmtpServer, subject: str = "Hello", text: str = "Good day.\n", to: str = "anna@mail.example"
) -> None:
    smtp.send(relay, "comments@blog.example", to, subject, text, number=7)


def relay(box: Mailbox) -> SmtpServer:
    return SmtpServer.read(box.url)


def test_a_mail_arrives_as_it_was_written() -> None:
    with mail_server() as box:
        send(relay(box), "Grüße aus Æbleskiver", "Ein Satz.\n.\n\nNoch einer mit „Zeichen“.\n")
    (found,) = box.mails
    assert found["Subject"] == "Grüße aus Æbleskiver"
    assert found.get_content() == "Ein Satz.\n.\n\nNoch einer mit „Zeichen“.\n"
    assert (found["From"], found["To"]) == ("comments@blog.example", "anna@mail.example")
    assert found["Message-ID"] == "<commentsvc.7.comments@blog.example>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"].datetime.tzinfo is not None
    assert box.recipients == ["anna@mail.example"]


@pytest.mark.parametrize(
    "hostile",
    [
        "Blog\r\nBcc: victim@mail.example",
        "Blog\nBcc: victim@mail.example\n\nanother text",
        "Blog\rX: y",
        "Blog\u2028Bcc: victim@mail.example\u0085X: y",
        "Blog\0\x0b\x0cBcc: victim@mail.example",
        "=?utf-8?q?Blog=0D=0ABcc:_victim@mail.example?=",
        "\u202egolB",
        "x" * 5000,
    ],
)
def test_no_subject_brings_a_header_of_its_own(hostile: str) -> None:
    with mail_server() as box:
        send(relay(box), hostile)
    (found,) = box.mails
    assert [name for name in found if name.lower() in {"bcc", "x", "cc"}] == []
    assert "".join(found["Subject"].split()) != ""
    assert found.get_content() == "Good day.\n"
    assert box.recipients == ["anna@mail.example"]
    assert max(map(len, box.raw[0].splitlines())) < 998


def test_it_is_encrypted_where_the_server_can(tmp_path: Path) -> None:
    authority = Authority()
    with mail_server(context=authority.server("localhost", tmp_path), login=("anna", "p@ss w:rd")) as box:
        url = f"smtp://anna:p%40ss%20w%3Ard@localhost:{box.port}"
        believing = dataclasses.replace(SmtpServer.read(url), context=authority.client())
        send(believing)
        assert smtp.greet(believing) == "encrypted, logged in"
        with pytest.raises(MailError, match=r"(?i)certificate"):
            send(SmtpServer.read(url))  # a stranger's certificate
    assert box.encrypted == [True]
    assert "p@ss" not in repr(believing)


def test_a_password_is_not_sent_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_LOOPBACK", set())
    with mail_server(login=("anna", "secret")) as box:
        with pytest.raises(MailError, match="no encryption") as caught:
            send(relay(box))
        assert not caught.value.lasting
    assert not [line for line in box.commands if line.startswith("AUTH")]


@pytest.mark.parametrize(
    ("refusals", "lasting"),
    [
        ({"RCPT": ["550 no such person"]}, True),
        ({"RCPT": ["450 later"]}, False),
        ({"DATA": ["554 spam"]}, True),
        ({"DATA": ["451 later"]}, False),
        ({"MAIL": ["553 not your address"]}, False),
        ({"EHLO": ["421 busy"], "HELO": ["421 busy"]}, False),
    ],
)
def test_what_the_server_says_is_told(refusals: dict[str, list[str]], lasting: bool) -> None:
    text = next(iter(refusals.values()))[0]
    with mail_server(refusals=refusals) as box, pytest.raises(MailError) as caught:
        send(relay(box))
    assert caught.value.lasting is lasting
    assert text in str(caught.value)


def test_a_wrong_login_can_be_mended() -> None:
    with (
        mail_server(login=("anna", "right")) as box,
        pytest.raises(MailError, match="refused the login") as caught,
    ):
        send(SmtpServer.read(f"smtp://anna:wrong@localhost:{box.port}"))
    assert not caught.value.lasting


def test_a_server_that_is_not_there_is_named() -> None:
    port = free_port()
    with pytest.raises(MailError, match="refused"):
        send(SmtpServer.read(f"smtp://localhost:{port}"))


class TestSettings:
    BARE = {  # noqa: RUF012
        "COMMENTSVC_SECRET_KEY": "u3Vn0qZ8kTq1yJmW5cXb7RdLhPfGaE2sNoIx4Mw6",
        "COMMENTSVC_BASE_URL": "https://comments.example",
    }

    def read(self, **more: str) -> Settings:
        return Settings.from_env(self.BARE | {f"COMMENTSVC_{name}": value for name, value in more.items()})

    def test_without_a_server_nobody_is_told(self) -> None:
        assert self.read(ALERT_MAIL="anna@mail.example").alerted == ()
        result = self.read(ALERT_MAIL="anna@mail.example, ben@mail.example", SMTP_URL="smtp://mail.example")
        assert result.alerted == ("anna@mail.example", "ben@mail.example")
        assert result.sender == "comments@comments.example"

    def test_ports_are_the_usual_ones(self) -> None:
        results = [SmtpServer.read(f"{scheme}://a:b@mail.example") for scheme in ("smtp", "smtps")]
        assert [(one.port, one.tls_from_the_start) for one in results] == [(587, False), (465, True)]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SMTP_URL", "mail.example"),
            ("SMTP_URL", "http://mail.example"),
            ("SMTP_URL", "smtp://"),
            ("SMTP_URL", "smtp://mail.example:99999"),
            ("SMTP_URL", "smtp://mail.example/path"),
            ("SMTP_URL", "smtp://:secret@mail.example"),
            ("MAIL_FROM", "Anna <anna@mail.example>"),
            ("MAIL_FROM", "anna@mail.example\nBcc: victim@mail.example"),
            ("ALERT_MAIL", "anna@mail.example, nobody"),
            ("ALERT_MAIL", "anna@mail.example\r\nBcc: victim@mail.example"),
        ],
    )
    def test_what_is_no_address_is_refused(self, name: str, value: str) -> None:
        with pytest.raises(SettingsError, match=f"COMMENTSVC_{name}"):
            self.read(**{name: value})


@pytest.mark.parametrize(
    "strange",
    [{"host": "mail..example"}, {"host": "x" * 70 + ".example"}, {"user": "ada", "password": "pä\udce4"}],
)
def test_what_cannot_even_be_asked_is_a_fault_like_any_other(strange: dict[str, str]) -> None:
    with mail_server() as box, pytest.raises(MailError):
        send(dataclasses.replace(relay(box), **strange))  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [60, 76, 90])
def test_an_address_in_a_header_is_one_unbroken_word(length: int) -> None:
    """Python's usual policy would write a long one as encoded words, or in a second line."""
    url = "https://comments.example/mail/stop/".ljust(length, "a")
    headers = (("List-Unsubscribe", f"<{url}>"), ("References", f"<{'r' * length}@blog.example>"))
    with mail_server() as box:
        smtp.send(
            relay(box),
            "comments@blog.example",
            "anna@mail.example",
            "Re: Grüße, und ein langer Titel, der nicht in eine Zeile der Mail passt, sondern in zwei",
            "Good day.\n",
            number=7,
            html="<p>Good day.</p>",
            sender_name='Jörg "x" via Blog',
            headers=headers,
        )
    lines = box.raw[0].split(b"\r\n")
    assert f"List-Unsubscribe: <{url}>".encode() in lines
    assert f"References: <{'r' * length}@blog.example>".encode() in lines
    assert all(
        len(word) <= 75 for line in lines if line.startswith((b"Subject", b" =?")) for word in line.split()
    )
    (found,) = box.mails
    assert found["From"] == '"Jörg \\"x\\" via Blog" <comments@blog.example>'
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]


def test_a_domain_is_written_as_dns_has_it_and_a_name_in_utf8_needs_a_server_that_takes_it() -> None:
    with mail_server() as box:
        send(relay(box), to="anna@bücher.example")
        with pytest.raises(MailError, match="ASCII") as caught:
            send(relay(box), to="jörg@mail.example")
    assert box.recipients == ["anna@xn--bcher-kva.example"]
    assert caught.value.lasting


@pytest.mark.parametrize(
    ("refusals", "fault"),
    [
        ({"RCPT": ["550 5.1.1 no such user"]}, "no_such_address"),
        ({"RCPT": ["550 5.1.10 null MX"]}, "no_such_address"),
        ({"RCPT": ["550 5.7.1 not allowed"]}, "refused"),
        ({"RCPT": ["552 5.2.2 mailbox full"]}, None),
        ({"RCPT": ["450 4.2.0 greylisted"]}, None),
        ({"MAIL": ["550 5.7.1 not your address"]}, "ours"),
        ({"DATA": ["554 5.7.1 looks like spam"]}, None),
    ],
)
def test_it_says_whose_fault_a_refusal_is(refusals: dict[str, list[str]], fault: str | None) -> None:
    with mail_server(refusals=refusals) as box, pytest.raises(MailError) as caught:
        send(relay(box))
    faults = [name for name in ("no_such_address", "refused", "ours") if getattr(caught.value, name)]
    assert faults == ([fault] if fault else [])


def test_one_connection_serves_many_mails_and_is_renewed_after_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smtp, "MAILS_PER_CONNECTION", 3)
    with mail_server() as box:
        connection = smtp.SmtpConnection(relay(box), "comments@blog.example")

        def hand_in() -> None:
            smtp.send(
                relay(box),
                "comments@blog.example",
                "a@mail.example",
                "Hi",
                "Hi\n",
                number=1,
                connection=connection,
            )

        for _ in range(4):
            hand_in()
        assert greetings(box) == ["blog.example"] * 2
        box.refusals["RCPT"] = ["550 5.1.1 no such user"]
        with pytest.raises(MailError):
            hand_in()
        hand_in()
        assert greetings(box) == ["blog.example"] * 3
        connection.close()
    assert len(box.raw) == 5


def greetings(box: Mailbox) -> list[str]:
    """The names with which connections began."""
    return [line.split()[1] for line in box.commands if line.upper().startswith("EHLO")]
