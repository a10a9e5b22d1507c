"""What an archive has: a part for each table, with the columns that are in it, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import FromClause

from commentsvc.db.session import Base
from commentsvc.models import (
    Action,
    Ban,
    Comment,
    Commenter,
    Decision,
    DeletedImport,
    FilterWord,
    Identity,
    Membership,
    Note,
    Origin,
    PendingEdit,
    Picture,
    Report,
    Revision,
    Site,
    Subscription,
    Suppression,
    Thread,
    ThreadAlias,
)

SCHEMA = 1
"""The version of this list. A part or a column that an earlier release cannot read makes it grow."""
_DERIVED = "made from the other columns"
_PRIVATE = "a secret"
_COUNTER = "a counter of this database"
_BROWSER = "a hash of the author's browser or network"


@dataclass(frozen=True, slots=True)
class ArchivePart:
    """A table's part of an archive."""

    model: type[Base]
    columns: Sequence[str]
    omitted: Mapping[str, str] = field(default_factory=dict)
    """Columns that are not in the archive, with the reason."""
    key: Sequence[str] = ()
    """The columns by which a record is recognised in another database; empty if it belongs to a comment."""
    with_site: bool = False
    """Whether it is restored only together with its whole site: a site that exists keeps its own."""

    more: Sequence[str] = ()
    """Fields of its records that are no columns."""

    @property
    def table(self) -> FromClause:
        return self.model.__table__

    @property
    def name(self) -> str:
        """The name of the table."""
        return str(self.model.__tablename__)

    @property
    def file(self) -> str:
        """The name of its file in the archive."""
        return f"{self.name}.ndjson"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PARTS: Sequence[ArchivePart] = (
    ArchivePart(
        Site,
        _words(
            "id name created_at heading policy order likes email_field name_field website_field close_after_days "
            "guests edit_window ignored_parameters moderation_words disallowed_words most_links reports_to_hold "
            "filter_threshold valve comment_mail post_mail feed_url moderator_mail comment_feeds webmention mastodon "
            "bluesky count_foreign language words"
        ),
        {"sso_secret": _PRIVATE, "akismet_key": _PRIVATE, "version": _COUNTER},
        key=("name",),
    ),
    ArchivePart(Origin, _words("id site_id origin"), key=("origin",), with_site=True),
    ArchivePart(
        Commenter,
        _words("id name website language show_picture created_at"),
        {"search_text": _DERIVED},
        key=_words("name created_at"),
    ),
    ArchivePart(
        Identity,
        _words("id commenter_id provider issuer subject name created_at"),
        key=_words("provider issuer subject"),
    ),
    ArchivePart(Picture, _words("commenter_id data digest fetched_at"), key=("commenter_id",)),
    ArchivePart(
        Membership, _words("id commenter_id site_id role"), key=_words("commenter_id site_id"), with_site=True
    ),
    ArchivePart(
        Thread,
        _words(
            "id site_id key match_key url title title_source title_checked_at title_tries created_at approved_count "
            "closed_at slow_seconds imported"
        ),
        {
            "search_text": _DERIVED,
            "version": _COUNTER,
            "changed_at": _COUNTER,
            "votes_since": "work that waits to be done",
        },
        key=_words("site_id key"),
    ),
    ArchivePart(
        ThreadAlias, _words("id site_id key match_key thread_id created_at"), key=_words("site_id key")
    ),
    ArchivePart(
        Action,
        _words("id site_id moderator_id kind summary facts undone_at created_at"),
        key=_words("site_id created_at summary"),
    ),
    ArchivePart(
        Comment,
        _words(
            "id site_id thread_id parent_id root_id depth kind status shown reply_count format source commenter_id "
            "role guest_name guest_email guest_website mention_title proved pinned featured reports ups downs score "
            "liked_by_owner learned created_at edited_at erased_at transfer_key origin origin_key origin_url "
            "origin_author origin_picture content_warning"
        ),
        {
            "html": _DERIVED,
            "renderer": _DERIVED,
            "digest": _DERIVED,
            "search_text": _DERIVED,
            "author_key_hash": _BROWSER,
            "network_hash": _BROWSER,
            "receipt_hash": "opens the author's private link",
            "idempotency_key": "a token of the form that it was sent with",
            "origin_picture_digest": "names a picture that is fetched again",
        },
        more=("uid",),
    ),
    ArchivePart(PendingEdit, _words("comment_id source reasons created_at")),
    ArchivePart(
        Decision, _words("id comment_id moderator_id status before action_id learned reasons created_at")
    ),
    ArchivePart(
        Revision,
        _words(
            "id comment_id action_id format source guest_name guest_email guest_website edited_before edited_after "
            "created_at"
        ),
    ),
    ArchivePart(
        Report,
        _words("id comment_id reporter_hash member reason note created_at"),
        {"network_hash": "a hash of the reporter's network"},
    ),
    ArchivePart(
        DeletedImport, _words("site_id transfer_key"), key=_words("site_id transfer_key"), with_site=True
    ),
    ArchivePart(
        Ban,
        _words("id site_id kind value month label reason until moderator_id created_at"),
        key=_words("site_id kind value"),
        with_site=True,
    ),
    ArchivePart(
        Note,
        _words("id site_id about text moderator_id created_at"),
        key=_words("site_id about created_at"),
        with_site=True,
    ),
    ArchivePart(FilterWord, _words("site_id word spam ham"), key=_words("site_id word"), with_site=True),
    ArchivePart(
        Subscription,
        _words(
            "id site_id thread_id kind address address_hash commenter_id frequency title language wording requested_at "
            "asked_at confirmed_at ended_at ended_by"
        ),
        {
            "author_key_hash": _BROWSER,
            "token": "opens the links of its mails",
            "confirm_hash": "opens its confirmation mail",
        },
        key=_words("site_id thread_id kind address_hash"),
        with_site=True,
    ),
    ArchivePart(
        Suppression,
        _words("id address_hash site_id reason times created_at"),
        key=_words("address_hash site_id reason"),
        more=("address",),
    ),
)
"""In the order in which they are restored: what others refer to comes first."""

LEFT_OUT: Mapping[str, str] = {
    "address_code": "codes that were mailed to prove an address: tokens",
    "address_proof": "hashes of browsers and addresses; people prove their address again",
    "answer_feed": "secrets; people make a new address",
    "announcement": "mail about new articles that waits to be sent",
    "api_answer": "answers to repeated requests of the API, for a day",
    "api_token": "secrets; their owners make new ones",
    "api_token_site": "where those secrets may be used",
    "article_look": "articles whose pages are looked at again",
    "confirmation_count": "hashes of addresses, counted for a short time",
    "delivery": "mail and messages that wait to be sent: they are sent from where they were written",
    "delivery_try": "the log of messages that were sent",
    "endpoint": "secrets: an owner sets up webhooks and chat again, with new ones",
    "feed_item": "what a feed had; its first request from a new service announces nothing",
    "feed_state": "what the last request for a feed found",
    "foreign_picture": "copies of pictures, which are fetched again",
    "import_job": "files that are being imported",
    "ledger_entry": "hashes with a key of this database; a file beside the backups has them: docs/backups.md",
    "login_session": "sessions",
    "notice": "work that waits to be done",
    "pressure": "surge protection, which looks at the present",
    "preview_origin": "rights of previews, which their owner gives anew in another place",
    "provider_notice": "requests of providers that were carried out",
    "registration": "secrets of this service at Mastodon instances, made again at the next login",
    "service_move": "that this service moves to another database",
    "social_link": "which posts belong to an article: its page says so again, or an owner",
    "ticket": "logins that are in progress",
    "usual": "recalculated",
    "vote": "hashes of browsers and networks; the numbers are with the comments",
    "webmention": "requests of other websites, which send them again; the comments are in the archive",
    "work_round": "when this service last did its work",
}
"""The tables that are in no archive, with the reason."""


def part_of(table: str) -> ArchivePart:
    """Return the part of a table."""
    return next(part for part in PARTS if part.name == table)
