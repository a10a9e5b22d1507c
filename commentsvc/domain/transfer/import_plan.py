"""Plans an import before anything is written: the thread, order, parent and text of each comment."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from commentsvc.domain import article_urls, fields
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.fields import Guest
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import BadAddressError, InvalidFieldsError, TransferError
from commentsvc.models import Kind, Role, Status, TextFormat
from commentsvc.text import imported_source

TEXT_LONGEST = 100_000
"""More than a visitor may write: an import should not lose what another system accepted."""
KEY_LONGEST = 300
_HELD = "approved there but held here, because "
BORROWED_TIME = "without a time of their own, so that they have their article's"
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PlannedComment:
    """A comment that is ready to be inserted."""

    key: str
    parent_key: str | None
    draft: CommentText
    guest: Guest
    kind: Kind
    status: Status
    reason: str
    """For the log of decisions."""
    notes: tuple[str, ...]
    """For the report."""
    created_at: datetime
    role: Role | None
    commenter_id: int | None
    mention_title: str | None
    """On a pingback or trackback: the whole title of the page, if it is longer than a name may be."""
    edited_at: datetime | None
    pinned: bool
    ups: int
    downs: int


class NotImported(Exception):  # noqa: N818 - a verdict, not an error
    """A comment is skipped; the message says why, in a few words."""


def transfer_key(article: ImportedThread, comment_id: str) -> str:
    """Return the permanent key of another system's comment, in at most 300 characters."""
    key = f"{article.system.lower()}:{article.source}:{comment_id}"
    if len(key) > KEY_LONGEST or not key.isprintable():
        key = f"{article.system.lower()}:sha256:{hashlib.sha256(key.encode()).hexdigest()}"
    return key


def home_of(url: str, *, origins: Sequence[str], to: str | None) -> str:
    """Return the origin for an article, or `to`, the blog's new URL, if given.

    The scheme does not matter: a site registered with https accepts an export that has http URLs.
    """
    if to is not None:
        return to.rstrip("/")
    if not url.startswith("/"):
        host = article_urls.page_origin(url).partition("://")[2]
        for origin in origins:
            if origin.partition("://")[2] == host:
                return origin
    return origins[0]


def moved_url(article: ImportedThread, home: str) -> str:
    """Return an article's URL under `home`: keeps the part after the old blog's URL, else path and query."""
    if article.url.startswith("/"):
        return home + article.url
    bare = article.url.partition("://")[2]
    old_home = article.home.partition("://")[2].rstrip("/")
    has_path = "/" in home.partition("://")[2]
    if has_path and old_home and bare.lower().startswith(f"{old_home.lower()}/"):
        return home + bare[len(old_home) :]
    cut = min(at for mark in "/?#" if (at := f"{bare}{mark}".find(mark)) >= 0)
    return home + ("" if bare[cut : cut + 1] == "/" else "/") + bare[cut:]


def require_on_site(to: str, origins: Sequence[str]) -> None:
    """Raise TransferError if `to` is not on the site, so that readers could never reach its threads."""
    try:
        known = article_urls.origin_of(to) in origins
    except BadAddressError as error:
        raise TransferError(str(error)) from None
    if not known:
        raise TransferError(f"{to} is not on this site, whose origins are {', '.join(origins)}.")


def in_order(records: Sequence[ImportedComment]) -> Iterator[ImportedComment]:
    """Yield comments by time, but parents before replies; a cycle starts at its oldest comment.

    The rows are inserted in this order, so replies are read in it.
    """
    by_id = {record.id: record for record in records}
    answers: dict[str, list[ImportedComment]] = {}
    ready: list[tuple[tuple[datetime, int, str], ImportedComment]] = []
    for record in by_id.values():
        if record.parent_id in by_id:
            answers.setdefault(record.parent_id or "", []).append(record)
        else:
            ready.append((_place(record), record))
    heapq.heapify(ready)
    done: set[str] = set()
    for record in by_id.values():
        yield from _reachable(ready, answers, done)
        if record.id not in done:
            start = _oldest_in_circle(record, by_id)
            heapq.heappush(ready, (_place(start), start))
    yield from _reachable(ready, answers, done)


def _reachable(
    ready: list[tuple[tuple[datetime, int, str], ImportedComment]],
    answers: dict[str, list[ImportedComment]],
    done: set[str],
) -> Iterator[ImportedComment]:
    while ready:
        _, record = heapq.heappop(ready)
        if record.id in done:
            continue
        done.add(record.id)
        yield record
        for answer in answers.get(record.id, ()):
            if answer.id not in done:
                heapq.heappush(ready, (_place(answer), answer))


def _place(record: ImportedComment) -> tuple[datetime, int, str]:
    return (record.created_at or _NEVER, fields.whole_number(record.id) or 0, record.id)


def _oldest_in_circle(record: ImportedComment, by_id: dict[str, ImportedComment]) -> ImportedComment:
    seen: set[str] = set()
    while record.id not in seen:
        seen.add(record.id)
        record = by_id[record.parent_id or ""]
    circle = [record]
    while (following := by_id[circle[-1].parent_id or ""]).id != record.id:
        circle.append(following)
    return min(circle, key=_place)


def prepared(
    article: ImportedThread, record: ImportedComment, url: str, accounts: Mapping[str, int]
) -> ImportedComment:
    """Return a comment with the text that is stored, whose links lead from the article's new `url`.

    `accounts` has the ids of the accounts here, by their logins there.
    """
    record = replace(record, commenter_id=accounts.get(record.user))
    if record.format is not TextFormat.HTML or len(record.text) > TEXT_LONGEST:
        return record
    text = imported_source.with_full_links(record.text, url)
    return replace(record, text=imported_source.with_emoji(text) if article.draws_smilies else text)


def plan(
    article: ImportedThread,
    record: ImportedComment,
    *,
    key: str,
    parent_key: str | None,
    is_below_hidden: bool = False,
) -> PlannedComment:
    """Validate and render one comment; raises NotImported.

    `is_below_hidden` says that it answers a comment that was not shown there, or an answer to one.
    """
    if record.refused:
        raise NotImported(record.refused)
    created_at = record.created_at or article.published_at
    if created_at is None:
        raise NotImported("without a time")
    if len(record.text) > TEXT_LONGEST:
        raise NotImported(f"longer than {TEXT_LONGEST:,} characters")
    try:
        draft = comment_text.from_source(record.text, longest=TEXT_LONGEST, text_format=record.format)
    except InvalidFieldsError:
        raise NotImported("without any text") from None
    status, reason, note = _verdict(article, record, draft, is_below_hidden=is_below_hidden)
    notes = (note, "" if record.created_at else BORROWED_TIME, *record.notes)
    return PlannedComment(
        key=key,
        parent_key=parent_key,
        draft=draft,
        guest=Guest() if record.commenter_id else _guest(record),
        kind=record.kind,
        status=status,
        reason=reason,
        notes=tuple(filter(None, notes)),
        created_at=created_at,
        role=record.role,
        commenter_id=record.commenter_id,
        mention_title=_mention_title(record),
        edited_at=record.edited_at,
        # Only what readers see first can be pinned: pins.pin has the same rule.
        pinned=record.pinned and status is Status.APPROVED and parent_key is None,
        ups=record.ups,
        downs=record.downs,
    )


def _verdict(
    article: ImportedThread, record: ImportedComment, draft: CommentText, *, is_below_hidden: bool
) -> tuple[Status, str, str]:
    """Return status, reason and note; hold comments that were not public or may not be safe."""
    if record.status is not Status.APPROVED:
        note = (
            "deleted there, kept without their text because of the replies to them" if record.deleted else ""
        )
        return record.status, f"Imported as {record.status.value} from {article.system}.", note
    if article.hidden:
        why = article.hidden_why
    elif is_below_hidden:
        why = "they answer a comment that is held, spam or in the trash, and were not shown either"
    elif not draft.rendered.agreed:
        why = "the two sanitisers disagreed about"
        return Status.HELD, f"{why.capitalize()} this text; please read it.", f"{_HELD}{why} them"
    else:
        return Status.APPROVED, f"Imported as approved from {article.system}.", ""
    return Status.HELD, f"Approved in {article.system}, but {_of_one(why)}.", _HELD + why


def _of_one(why: str) -> str:
    """Turn what is said of several comments into what is said of one."""
    return (
        why.replace("their article", "its article")
        .replace("they answer", "it answers")
        .replace("were not", "was not")
    )


def _guest(record: ImportedComment) -> Guest:
    name = " ".join(record.name.split())
    if len(name) > fields.NAME_LONGEST:
        name = name[: fields.NAME_LONGEST - 1].rstrip() + "…"
    return fields.imported_guest(name_=name, email_=record.email, website_=record.website)


def _mention_title(record: ImportedComment) -> str | None:
    name = " ".join(record.name.split())
    if record.kind is Kind.COMMENT or len(name) <= fields.NAME_LONGEST:
        return None
    return fields.title(name)
