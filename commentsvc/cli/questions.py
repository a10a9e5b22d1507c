"""The questions that `init` asks on a terminal; a wrong answer is explained and asked for again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import click

from commentsvc.domain import fields
from commentsvc.domain.sites import separate_origins
from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.origins import origin_of
from commentsvc.setting_values import READERS

NONE = "none"


def is_terminal() -> bool:
    """Whether input and output are a terminal, so that questions can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def base_url(default: str) -> str:
    """Ask for the address of the service."""
    click.echo(
        "At which address will browsers reach this service? It needs its own host name, such as\n"
        "https://comments.example, and a proxy with a certificate. The default is for trying it on this machine."
    )
    return _ask("Address of the service", default, lambda text: str(READERS["base_url"](_with_scheme(text))))


def site(base_url: str) -> tuple[str, tuple[str, ...]]:
    """Ask for the name and the address of the website, which must not share the service's origin."""
    click.echo("\nWhich website will show the comments?")
    name = _ask("Its name", "My blog", _name)
    address = _ask(
        "Its address, such as https://blog.example", None, lambda text: origin(_with_scheme(text), base_url)
    )
    return name, (address,)


def smtp_url() -> str:
    """Ask for a mail server; return its URL, or nothing if no mail shall be sent."""
    click.echo(
        "\nA mail server lets the service write to you. Without one everything else works; you can add it later."
    )
    server = _ask("Mail server, such as smtp://mail.example:587", NONE, _mail_server)
    parts = urlsplit(server)
    if not server or parts.username:
        return server
    user = _ask("User name there", NONE, lambda text: "" if text == NONE else text)
    if not user:
        return server
    password = click.prompt("Password", hide_input=True)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return _mail_server(f"{parts.scheme}://{login}@{parts.netloc}")


def origin(text: str, base_url: str) -> str:
    """Return the origin of a website's address; raises ValueError, also if it is that of the service."""
    try:
        result = origin_of(text.strip())
    except BadAddressError as error:
        raise ValueError(f"{error} An origin looks like https://blog.example") from None
    if fault := separate_origins.shared_origin_fault([result], base_url):
        raise ValueError(fault)
    return result


def _ask(question: str, default: str | None, read: Callable[[str], str]) -> str:
    def value(text: str) -> str:
        try:
            return read(text.strip())
        except ValueError as error:
            raise click.BadParameter(str(error)) from None

    answer: str = click.prompt(question, default=default, value_proc=value)
    return answer


def _with_scheme(text: str) -> str:
    return text if "://" in text else f"https://{text}"


def _name(text: str) -> str:
    try:
        return fields.name(text, missing="Please enter the website's name")
    except InvalidFieldsError as error:
        raise ValueError(str(error)) from None


def _mail_server(text: str) -> str:
    if text == NONE:
        return ""
    return str(READERS["smtp_url"](text if "://" in text else f"smtp://{text}"))
