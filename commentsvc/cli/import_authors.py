"""Reads the accounts that the authors of an imported site have here."""

from __future__ import annotations

from collections.abc import Sequence

import click
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin.author_ref import AuthorKind
from commentsvc.models import Commenter, Site

OPERATOR = "owner"


def read(session: Session, site: Site, pairs: Sequence[str]) -> dict[str, int]:
    """Return account ids by login, from texts such as `anna=12`, `anna=commenter:12` and `anna=owner`.

    Raises BadParameter for any other text, and for an account without a role on the site.
    """
    ids: dict[str, int] = {}
    for pair in pairs:
        login, mark, who = pair.rpartition("=")
        number = who.removeprefix(AuthorKind.COMMENTER.prefix)
        if not (login and mark) or not (who == OPERATOR or (number.isascii() and number.isdecimal())):
            raise click.BadParameter(
                f"{pair!r} is not like anna=12 or anna={OPERATOR}.", param_hint="--author"
            )
        account = accounts.operator(session) if who == OPERATOR else session.get(Commenter, int(number[:18]))
        if account is None or accounts.role_on(session, account.id, site.id) is None:
            raise click.BadParameter(
                f"{who} has no role on {site.name}; `commentsvc admin list` shows who has.",
                param_hint="--author",
            )
        ids[login] = account.id
    return ids
