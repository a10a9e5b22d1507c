"""The `comments` commands: find comments, and decide on many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from sqlalchemy.orm import Session

from commentsvc.cli import options, output, service
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import bulk_decisions, comment_selection, queue_entries
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.comment_selection import CommentSelection
from commentsvc.domain.admin.queue_entries import QueueEntry
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.fields import LARGEST_ROW
from commentsvc.domain.maintenance import expired_comments
from commentsvc.domain.threads import threads
from commentsvc.errors import NotFoundError
from commentsvc.models import Site, Status, now

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

MOST_NUMBERS = 500
_STATUSES = (Tab.HELD, Tab.APPROVED, Tab.SPAM, Tab.TRASH)
_CONDITIONS = (
    options.site_option("The site; needed only if there are several."),
    click.option(
        "--by",
        metavar="WHO",
        callback=options.read_person,
        help="Only comments by email:ADDRESS, name:NAME or commenter:NUMBER.",
    ),
    click.option("--on", metavar="URL", help="Only comments on the article at this address."),
    click.option(
        "--since", metavar="DAY", callback=options.read_day, help="Only comments from this day on (UTC)."
    ),
    click.option(
        "--until",
        metavar="DAY",
        callback=options.read_day,
        help="Only comments up to this day, including it (UTC).",
    ),
)


@dataclass(frozen=True)
class Conditions:
    """The conditions that a command was given."""

    site_name: str | None = None
    by: AuthorRef | None = None
    on: str | None = None
    since: str | None = None
    until: str | None = None

    def select(
        self, session: Session, tabs: tuple[Tab, ...], numbers: tuple[int, ...] = ()
    ) -> tuple[Site, CommentSelection]:
        """Return the site and the comments that are meant; raises NotFoundError and BadAddressError."""
        site = options.chosen_site(session, self.site_name)
        given = {"since": self.since, "until": self.until, "author": str(self.by) if self.by else None}
        if self.on is not None:
            given["article"] = str(_thread_id(session, site, self.on))
        filters = Filters.read({name: value for name, value in given.items() if value})
        return site, comment_selection.begin(session, site.id, tabs, filters, numbers)

    @property
    def are_any(self) -> bool:
        """Whether anything besides the site was said."""
        return any((self.by, self.on, self.since, self.until))


def conditional(*tabs: Tab) -> Callable[[Decorated], Decorated]:
    """Add the options for conditions to a command, and one for these statuses, which become its `tabs`."""

    def decorate(command: Decorated) -> Decorated:
        status = click.option(
            "--status",
            "tabs",
            metavar="|".join(tab.value for tab in tabs),
            type=click.Choice([tab.value for tab in tabs]),
            multiple=True,
            callback=lambda _context, _option, chosen: tuple(map(Tab, chosen)),
            help="Only comments of this status; several are possible.",
        )
        for option in (status, *reversed(_CONDITIONS)):
            command = option(command)
        return command

    return decorate


numbers_argument = click.argument(
    "numbers", nargs=-1, type=click.IntRange(1, LARGEST_ROW), metavar="[NUMBER]..."
)


@click.group()
def comments() -> None:
    """Find comments, and decide on many at once.

    Who and which article is given by conditions, which can be combined. A change says how many comments it is about,
    and asks.

    \b
    commentsvc comments list --status held
    commentsvc comments spam --by email:ada@mail.example --since 2026-11-01
    commentsvc comments approve 12 15
    """  # noqa: D301


@comments.command(name="list")
@conditional(*_STATUSES)
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many comments."
)
@options.json_option
def list_(tabs: tuple[Tab, ...], limit: int, as_json: bool, **given: Any) -> None:
    """List comments, the newest first: number, status, time (UTC), author and beginning."""
    with service.opened(service.settings()) as session:
        _, selection = Conditions(**given).select(session, tabs or _STATUSES)
        ids = comment_selection.newest(session, selection, limit + 1)
        entries = queue_entries.load(session, ids[:limit])
    if as_json:
        output.print_json([_item(entry) for entry in entries], more=len(ids) > limit)
        return
    if not entries:
        click.echo("There are no such comments.")
        return
    heads = [
        (str(entry.id), entry.status.value, output.minute(entry.created_at), entry.name) for entry in entries
    ]
    taken = sum(max(map(len, column)) + 2 for column in zip(*heads, strict=True))
    output.print_columns(
        (*head, output.cut(entry.excerpt, taken)) for head, entry in zip(heads, entries, strict=True)
    )
    if len(ids) > limit:
        click.echo(f"There are more; --limit {limit * 5} shows more of them.", err=True)


@comments.command()
@numbers_argument
@conditional(Tab.HELD, Tab.SPAM, Tab.TRASH)
@options.yes_option
def approve(numbers: tuple[int, ...], tabs: tuple[Tab, ...], yes: bool, **given: Any) -> None:
    """Approve comments, so that readers see them; held ones, unless --status says otherwise."""
    _decide(Status.APPROVED, tabs, (Tab.HELD,), numbers, Conditions(**given), yes=yes)


@comments.command()
@numbers_argument
@conditional(Tab.HELD, Tab.APPROVED, Tab.TRASH)
@options.yes_option
def spam(numbers: tuple[int, ...], tabs: tuple[Tab, ...], yes: bool, **given: Any) -> None:
    """Mark comments as spam: held and approved ones, unless --status says otherwise."""
    _decide(Status.SPAM, tabs, (Tab.HELD, Tab.APPROVED), numbers, Conditions(**given), yes=yes)


@comments.command()
@numbers_argument
@conditional(Tab.HELD, Tab.APPROVED, Tab.SPAM)
@options.yes_option
def trash(numbers: tuple[int, ...], tabs: tuple[Tab, ...], yes: bool, **given: Any) -> None:
    """Move comments to the trash: of every other status, unless --status says otherwise."""
    _decide(Status.TRASH, tabs, (Tab.HELD, Tab.APPROVED, Tab.SPAM), numbers, Conditions(**given), yes=yes)


@comments.command()
@numbers_argument
@conditional(Tab.SPAM, Tab.TRASH)
@options.yes_option
def delete(numbers: tuple[int, ...], tabs: tuple[Tab, ...], yes: bool, **given: Any) -> None:
    """Delete spam and trash for good. It cannot be undone.

    Other comments must be moved to the trash first. A comment with replies leaves an empty place.
    """
    conditions = Conditions(**given)
    _require_some(numbers, tabs, conditions)
    with service.opened(service.settings()) as session:
        site, selection = conditions.select(session, tabs or (Tab.SPAM, Tab.TRASH), numbers)
        ids = expired_comments.removable(session, list(comment_selection.ids(session, selection)))
        session.rollback()
        _require_found(ids)
        number = output.counted(len(ids), "comment")
        options.confirm(f"Delete {number} of {site.name!r} for good?", yes=yes)
        with output.bar(len(ids), "Deleting") as bar:
            done = expired_comments.remove_chosen(
                session, site.id, ids, moderator_id=_operator(session), at=now(), progress=bar.update
            )
    click.echo(f"Deleted for good: {output.counted(done, 'comment')}.")


def _decide(
    status: Status,
    tabs: tuple[Tab, ...],
    usual: tuple[Tab, ...],
    numbers: tuple[int, ...],
    conditions: Conditions,
    *,
    yes: bool,
) -> None:
    """Count the comments, ask, and give them the status. Numbers mean a comment whatever its status."""
    _require_some(numbers, tabs, conditions)
    others = tuple(tab for tab in _STATUSES if tab.value != status.value)
    _, verb = bulk_decisions.KINDS[status]
    with service.opened(service.settings()) as session:
        site, selection = conditions.select(session, tabs or (others if numbers else usual), numbers)
        count = sum(1 for _ in comment_selection.ids(session, selection))
        session.rollback()
        _require_found(range(count))
        options.confirm(
            f"{output.counted(count, 'comment')} of {site.name!r}: {_QUESTIONS[status]}?", yes=yes
        )
        with output.bar(count, "Deciding") as bar:
            outcome = comment_selection.decide(
                session, selection, status, moderator_id=_operator(session), at=now(), progress=bar.update
            )
    click.echo(f"{verb}: {output.counted(outcome.changed, 'comment')}.")
    if outcome.changed:
        click.echo("The admin view can undo this, under Activity.", err=True)


_QUESTIONS = {Status.APPROVED: "approve", Status.SPAM: "mark as spam", Status.TRASH: "move to the trash"}


def _operator(session: Session) -> int:
    """Return the account of whoever has this command line; the log shows its name."""
    with service.committed(session):
        return accounts.operator(session).id


def _require_some(numbers: tuple[int, ...], tabs: tuple[Tab, ...], conditions: Conditions) -> None:
    if len(numbers) > MOST_NUMBERS:
        raise click.UsageError(f"At most {MOST_NUMBERS} numbers at once.")
    if numbers and (tabs or conditions.are_any):
        raise click.UsageError("Give either the numbers of comments, or conditions.")
    if not (numbers or tabs or conditions.are_any):
        raise click.UsageError(
            "Which comments? Give their numbers, or --by, --on, --since, --until or --status."
        )


def _require_found(ids: Any) -> None:
    if not ids:
        raise NotFoundError(
            "There are no such comments, or they have this status already. Nothing was changed."
        )


def _thread_id(session: Session, site: Site, url: str) -> int:
    thread = threads.find(session, threads.address_on(site, url))
    if thread is None:
        raise NotFoundError(f"{site.name!r} has no comments on {url}.")
    return thread.id


def _item(entry: QueueEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "status": entry.status,
        "created_at": entry.created_at,
        "name": entry.name,
        "by": str(entry.author) if entry.author else None,
        "email": entry.email,
        "website": entry.website,
        "article": entry.url,
        "title": entry.title,
        "parent": entry.parent_id,
        "reports": entry.reports,
        "reasons": entry.decision.reasons if entry.decision else [],
        "excerpt": entry.excerpt,
    }
