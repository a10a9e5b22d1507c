"""Moves all threads below one URL to another, for a website that has moved; the old keys stay as aliases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions, article_urls
from commentsvc.domain.threads import threads
from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.match_keys import NAMED
from commentsvc.messages import gettext
from commentsvc.models import Action, Site, Thread, ThreadAlias, search_text

KIND = "thread.remap"
_ROWS = 500


@dataclass(frozen=True, slots=True)
class UrlChange:
    """The change to one thread; `taken` names the thread that already has its new address, so that it stays."""

    id: int
    title: str | None
    key: str
    url: str
    new_key: str
    new_url: str
    taken: str | None = None


@dataclass(frozen=True, slots=True)
class RemapPlan:
    """The changes of a remap, in the order of the threads' ids."""

    old: str
    new: str
    changes: list[UrlChange]

    @property
    def moving(self) -> list[UrlChange]:
        """The changes that will be made."""
        return [change for change in self.changes if change.taken is None]


def plan(session: Session, site: Site, *, old: str, new: str) -> RemapPlan:
    """Return the changes without making them. Raises InvalidFieldsError on `old` or `new`.

    `http` and `https` are equal in `old`, as they are in keys.
    """
    prefix, target = _checked(old, "old"), _checked(new, "new")
    if not threads.is_on(site, target):
        raise InvalidFieldsError(
            {"new": gettext("This is not on one of the site's origins; add it in the settings first.")}
        )
    bare = prefix.partition("://")[2]
    query = select(Thread.id, Thread.title, Thread.key, Thread.url).where(Thread.site_id == site.id)
    rows = session.execute(query.order_by(Thread.id)).all()
    whose = {row.key: row.title or row.url for row in rows}
    aliases = select(ThreadAlias.key, ThreadAlias.thread_id).where(ThreadAlias.site_id == site.id)
    alias_of = {key: thread_id for key, thread_id in session.execute(aliases)}  # noqa: C416
    names = {row.id: row.title or row.url for row in rows}
    neighbours = _Neighbours(site, {row.id: row.key for row in rows}, alias_of)
    changes: list[UrlChange] = []
    for row in rows:
        rest = _below(row.url.partition("://")[2], bare)
        if rest is None:
            continue
        # Not normalised again: if an article has two threads, each keeps the address that leads to it.
        url = article_urls.check_length(_joined(target, rest))
        key = row.key if row.key.startswith(NAMED) else article_urls.thread_key(url)
        taken = whose.get(key) if key != row.key else None
        if taken is None and alias_of.get(key, row.id) != row.id:
            taken = names.get(alias_of[key])
        if taken is None and key != row.key:
            other = neighbours.at(key, row.id)
            taken = names.get(other) if other is not None else None
        if (key, url) != (row.key, row.url):
            changes.append(UrlChange(row.id, row.title, row.key, row.url, key, url, taken))
        if taken is None:
            whose[key] = names[row.id]
            neighbours.add(key, row.id)
    return RemapPlan(prefix, target, changes)


def apply(
    session: Session, site: Site, planned: RemapPlan, *, moderator_id: int | None, at: datetime
) -> Action:
    """Make all changes of a plan that are not taken. Needs `begin_write`, called before `plan`."""
    moving = planned.moving
    if not moving:
        raise InvalidFieldsError({"old": gettext("No thread would change.")})
    _readdress(session, site, [(change.id, change.new_key, change.new_url) for change in moving])
    new_keys = [change.new_key for change in moving if change.new_key != change.key]
    _forget(session, site.id, new_keys)
    session.flush()
    given = [
        {
            "site_id": site.id,
            "key": change.key,
            "match_key": article_urls.match_key(change.key, site.ignored_parameters),
            "thread_id": change.id,
            "created_at": at,
        }
        for change in moving
        if change.new_key != change.key
    ]
    if given:
        session.execute(insert(ThreadAlias), given)
    number = "1 thread" if len(moving) == 1 else f"{len(moving):,} threads"
    return actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind=KIND,
        summary=f"Moved {number} from {planned.old[:100]} to {planned.new[:100]}.",
        at=at,
        facts={"threads": [[change.id, change.key, change.url, change.new_key] for change in moving]},
    )


def undo(session: Session, action: Action, *, at: datetime) -> int:
    """Restore the threads' addresses; return how many. Threads changed since stay as they are."""
    session.refresh(action, with_for_update=True)
    if action.undone_at is not None:
        raise InvalidFieldsError({"action": gettext("This is already undone.")})
    keys = select(Thread.id, Thread.key).where(Thread.site_id == action.site_id)
    now = {row.id: row.key for row in session.execute(keys)}
    back = [row for row in action.facts["threads"] if now.get(row[0]) == row[3]]
    _forget(session, action.site_id, [key for _, key, _, _ in back])
    site = session.get_one(Site, action.site_id)
    _readdress(session, site, [(number, key, url) for number, key, url, _ in back])
    action.undone_at = at
    session.flush()
    return len(back)


class _Neighbours:
    """Finds threads of other articles that a key would match, while threads move one by one."""

    def __init__(self, site: Site, key_of: dict[int, str], alias_of: dict[str, int]) -> None:
        self._ignored = site.ignored_parameters
        self._before = {number: self._form(key) for number, key in key_of.items()}
        self._there: dict[str, set[int]] = {}
        for number, key in key_of.items():
            self.add(key, number)
        for key, number in alias_of.items():
            self.add(key, number)

    def add(self, key: str, thread_id: int) -> None:
        self._there.setdefault(self._form(key), set()).add(thread_id)

    def at(self, key: str, thread_id: int) -> int | None:
        """Return a thread that `key` would also match, other than a second thread of the same article."""
        own = self._before[thread_id]
        others = self._there.get(self._form(key), set()) - {thread_id}
        return min((one for one in others if self._before.get(one) != own), default=None)

    def _form(self, key: str) -> str:
        return article_urls.match_key(key, self._ignored)


def _readdress(session: Session, site: Site, rows: list[tuple[int, str, str]]) -> None:
    if rows:
        forms = {key: article_urls.match_key(key, site.ignored_parameters) for _, key, _ in rows}
        titles = _titles(session, [number for number, _, _ in rows])
        changed = [
            {
                "id": number,
                "key": key,
                "match_key": forms[key],
                "url": url,
                "search_text": search_text(Thread, {"title": titles[number], "url": url}),
            }
            for number, key, url in rows
        ]
        session.execute(update(Thread), changed)
    threads.invalidate_site(session, site.id)
    for at in range(0, len(rows), _ROWS):
        change_rows(
            session,
            update(Thread)
            .where(Thread.id.in_([number for number, _, _ in rows[at : at + _ROWS]]))
            .values(version=Thread.version + 1),
        )
    session.expire_all()


def _titles(session: Session, numbers: list[int]) -> dict[int, str | None]:
    results: dict[int, str | None] = {}
    for at in range(0, len(numbers), _ROWS):
        query = select(Thread.id, Thread.title).where(Thread.id.in_(numbers[at : at + _ROWS]))
        results.update((row.id, row.title) for row in session.execute(query))
    return results


def _forget(session: Session, site_id: int, keys: list[str]) -> None:
    for at in range(0, len(keys), _ROWS):
        change_rows(
            session,
            delete(ThreadAlias).where(
                ThreadAlias.site_id == site_id, ThreadAlias.key.in_(keys[at : at + _ROWS])
            ),
        )


def _checked(typed: str, name: str) -> str:
    try:
        return article_urls.canonical(typed.strip())
    except BadAddressError as error:
        raise InvalidFieldsError({name: str(error)}) from None


def _joined(target: str, rest: str) -> str:
    base = target.rstrip("/")
    is_origin = base.count("/") == 2
    return base + ("/" if is_origin and not rest.startswith("/") else "") + rest


def _below(address: str, prefix: str) -> str | None:
    """Return what follows the prefix, beginning with a slash or question mark; None if it is not below the prefix."""
    prefix = prefix.rstrip("/")
    if not address.startswith(prefix):
        return None
    rest = address.removeprefix(prefix)
    return rest if not rest or rest[0] in "/?" else None
