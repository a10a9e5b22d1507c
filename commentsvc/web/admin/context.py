"""Shared by the pages of the admin view: the guard, the current site, and the position in the list."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import quote, urlencode

from flask import Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from commentsvc import messages
from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.admin import queue
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.surge import episodes
from commentsvc.domain.surge.episodes import SurgeEpisode
from commentsvc.errors import BadAddressError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Commenter, Role, Site
from commentsvc.web import origin_check, page_language
from commentsvc.web.auth import cookies, person_marks
from commentsvc.web.context import database, now, providers, shown_name
from commentsvc.web.request_values import query_number

TABS = tuple(Tab)
COMMENT = "/comments/<int:comment_id>"
"""The path of a comment's pages."""
_SETTLED = "settled"


def guard() -> Response | None:
    """The guard of the admin blueprints: requires our own pages for changes, and a signed-in person."""
    refusal = guard_without_body()
    if refusal is None and request.method not in {"GET", "HEAD"}:
        person_marks.require(person_marks.sent_mark(), person())
    return refusal


def guard_without_body() -> Response | None:
    """The part of the guard that does not read the request's body; the view compares the person's mark."""
    if request.method not in {"GET", "HEAD"}:
        origin_check.require_own_page()
    elif arriving := arrival():
        return arriving
    moderator = cookies.signed_in_moderator()
    if moderator is None:
        return signed_out(401)
    g.person = moderator
    messages.use(page_language.of_admin_view(moderator.language))
    return None


def arrival() -> Response | None:
    """Answer a visit by a link on another website; return None for any other request.

    Browsers do not send a strict cookie with such a visit, so a signed-in person would look like a stranger. The page
    reloads the same address, this time from our own page.
    """
    if request.headers.get("Sec-Fetch-Site") != "cross-site" or _SETTLED in request.args:
        return None
    query = urlencode([*request.args.items(multi=True), (_SETTLED, "1")])
    onward = f"{quote(request.script_root + request.path)}?{query}"
    return make_response(render_template("admin/arrival.html", onward=onward))


def signed_out(status: int, *, spent: bool = False) -> Response:
    """Return the page that explains how to sign in."""
    ways_in = list(providers().values())
    html = render_template("admin/signed_out.html", spent=spent, providers=ways_in, whose=shown_name())
    return make_response(html, status)


def person() -> Commenter:
    """Return the person who passed the guard."""
    return cast(Commenter, g.person)


@dataclass(frozen=True)
class AdminContext:
    """A site, and the moderator or owner who looks at it."""

    person: Commenter
    site: Site
    role: Role
    sites: list[Site]
    """All sites on which this person has a role."""

    @classmethod
    def for_site(cls, site_id: int, *, owner: bool = False) -> AdminContext:
        """Return a site's context; raises NotFoundError for people without a role there (with `owner`: not owner)."""
        role = accounts.require_role(database(), person(), site_id, owner=owner)
        site = database().get_one(Site, site_id)
        return cls(person(), site, role, accounts.sites_of(database(), person()))

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    @cached_property
    def surge(self) -> list[SurgeEpisode]:
        """Current surges of comments."""
        return episodes.current(database(), self.site, at=now())

    @cached_property
    def tabs(self) -> list[tuple[Tab, str]]:
        """The lists with their numbers of comments, such as 12 or 999+."""
        counts, most = queue.counts(database(), self.site.id), queue.COUNTED - 1
        return [(status, str(counts[status]) if counts[status] <= most else f"{most}+") for status in TABS]


def for_comment(comment_id: int) -> tuple[AdminContext, Comment]:
    """Return a comment and its site's context; raises NotFoundError for people without a role there."""
    comment = database().get(Comment, comment_id)
    if comment is None:
        raise NotFoundError
    return AdminContext.for_site(comment.site_id), comment


def undo_button(admin: AdminContext, action_id: int | None) -> dict[str, int] | None:
    """Return what a notice needs for its undo button."""
    return {"action_id": action_id, "site_id": admin.site.id} if action_id else None


@dataclass(frozen=True)
class QueuePosition:
    """A position in the list; all links and forms carry it, so that people return there."""

    status: Tab
    site_id: int | None
    after: int | None
    filters: Filters = field(default_factory=Filters)
    open: int | None = None
    """The comment whose context is shown."""

    @classmethod
    def read(cls) -> QueuePosition:
        """Read the URL's query; raises BadAddressError."""
        wanted = request.args.get("status", Tab.HELD.value)
        if wanted not in set(Tab):
            raise BadAddressError(gettext("There is no such list of comments."))
        return cls(
            Tab(wanted),
            query_number("site", fields.LARGEST_SITE),
            query_number("after"),
            Filters.read(request.args),
            query_number("open"),
        )

    def arguments(self, **changed: Any) -> dict[str, Any]:
        """Return the URL parameters for this position, with some `changed`."""
        named = {"status": self.status.value, "site": self.site_id, "after": self.after}
        named |= self.filters.arguments() | {"open": self.open} | changed
        return {name: value for name, value in named.items() if value is not None}

    def narrowed(self, **changed: Any) -> dict[str, Any]:
        """Return the URL parameters for the start of this list with other filters; None removes a filter."""
        return self.arguments(**{"after": None, "open": None} | changed)

    def back(self, site_id: int, comment_id: int | None = None) -> Redirect:
        """Return to the list, and to a comment in it if given."""
        anchor = f"comment-{comment_id}" if comment_id else None
        return redirect(
            url_for("queue.listing", **self.arguments(site=site_id, open=None), _anchor=anchor), 303
        )
