"""Shared by the views of a thread: rendering the page, in a frame or standalone, and a single comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, current_app, make_response, render_template

from commentsvc.domain import article_urls, fields
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.reading.conversations import CommentView, Conversation
from commentsvc.domain.reading.thread_pages import ThreadPage
from commentsvc.domain.social import elsewhere
from commentsvc.domain.threads import comment_counts, embedding_pages
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.messages import pgettext
from commentsvc.models import Likes, LoginSession, Order, Site
from commentsvc.text.markup import SafeHtml
from commentsvc.web import access, headers
from commentsvc.web.auth import reader
from commentsvc.web.context import database, providers
from commentsvc.web.forms import CommentForm
from commentsvc.web.thread import address_claims, subscribing
from commentsvc.web.thread_request import EMBED, ThreadRequest


@dataclass(frozen=True)
class FormState:
    """The state of the form: what was typed, the comment it replies to, and errors."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    parent: CommentView | None = None
    preview: SafeHtml | None = None
    """What is typed, as a comment."""
    again: bool = False
    """Whether it is shown again because it had expired."""
    asks_code: bool = False
    """Whether it asks for the code that proves the e-mail address."""
    proof_message: str = ""
    """What became of proving it."""

    @property
    def touched(self) -> bool:
        """Whether the form is shown open."""
        return bool(self.errors or self.parent or self.proof_message or self.values.get("text"))


def render_page(
    thread_request: ThreadRequest,
    address: ThreadAddress,
    page: ThreadPage,
    *,
    at: datetime,
    form_state: FormState | None = None,
    own: list[CommentView] | None = None,
    notice: str | None = None,
    receipt: str | None = None,
    holder: LoginSession | None = None,
    as_guest: bool = False,
    conversation: Conversation | None = None,
    status: int = 200,
) -> Response:
    """Render the thread's page as of `at`, for everybody, or with one person's form state.

    `receipt` is the private link to a guest's own comment. `as_guest`: the holder of the session wants to comment as a
    guest, and sees that they are still logged in.
    """
    site = address.site
    html = render_template(
        "thread/page.html",
        thread_request=thread_request,
        site=site,
        address=address,
        page=page,
        order=page.order,
        likes=address.likes,
        elsewhere=elsewhere.of_thread(database(), site, page.thread),
        foreign=comment_counts.foreign(database(), site, page.thread),
        orders=_orders(site),
        form_state=form_state or FormState(),
        proofs=address_claims.are_offered(site),
        own=own or [],
        notice=notice,
        receipt=receipt,
        conversation=conversation,
        closed=embedding_pages.closed_reason(address, page.thread, at=at),
        announced=embedding_pages.announcement(address, page.thread, at=at),
        token=access.form_token(
            address, mark=reader.form_mark(holder), again=form_state is not None and form_state.again
        ),
        providers=list(providers().values()),
        member=reader.describe(holder) if holder and not as_guest else None,
        still_name=holder.commenter.name if holder and as_guest else "",
        csrf=reader.csrf_token() if holder else "",
        may_subscribe=subscribing.is_offered(site),
        origins=" ".join(embedding_pages.framing_origins(address)),
        quoting=article_urls.text_link_prefix(address.url),
    )
    response = make_response(html, status)
    if thread_request.mode == EMBED:
        headers.allow_framing(embedding_pages.framing_origins(address))
        # Not indexed by itself, but as a part of the article around it by engines that know this word.
        response.headers["X-Robots-Tag"] = "noindex, indexifembedded"
    return response


def _orders(site: Site) -> list[tuple[Order, str]]:
    """Return the orders that a site's readers can choose, with their names."""
    oldest = (Order.OLDEST, pgettext("order of comments", "Oldest"))
    newest = (Order.NEWEST, pgettext("order of comments", "Newest"))
    if site.likes is Likes.OFF:
        return [oldest, newest]
    return [(Order.BEST, pgettext("order of comments", "Best")), newest, oldest]


def render_form(
    thread_request: ThreadRequest,
    address: ThreadAddress,
    form: CommentForm,
    *,
    at: datetime,
    errors: Mapping[str, str],
    holder: LoginSession | None,
    preview: SafeHtml | None = None,
    again: bool = False,
    proof_message: str = "",
    status: int = 200,
) -> Response:
    """Render the thread's first page with a form as it was sent, and with what is wrong with it or a preview."""
    page = thread_pages.page(database(), address, order=thread_request.order_on(address.site))
    parent_id = fields.whole_number(form.value("parent"))
    form_state = FormState(
        values=form.values(),
        errors=errors,
        parent=thread_pages.comment_to_answer(database(), address, parent_id),
        preview=preview,
        again=again,
        asks_code="code" in form.given,
        proof_message=proof_message,
    )
    return render_page(
        thread_request, address, page, at=at, form_state=form_state, holder=holder, status=status
    )


def form_identity(address: ThreadAddress, holder: LoginSession | None) -> dict[str, Any]:
    """Return what a script needs to show the form to this reader: the person, and tokens for their next post."""
    return {
        "member": reader.describe(holder) if holder else None,
        "token": access.form_token(address, mark=reader.form_mark(holder)),
        "csrf": reader.csrf_token() if holder and not reader.bearer() else None,
    }


def render_posted_note(link: str | None, notice: str, *, held: bool) -> str:
    """Render what stands at a comment that was just posted: thanks, `notice`, and for a guest the private link."""
    macros: Any = current_app.jinja_env.get_template("thread/receipt_note.html").module
    return str(macros.box(link, notice, held))


def render_comment(thread_request: ThreadRequest, view: CommentView, site: Site) -> str:
    """Render one comment as in a list."""
    # Only the macro: a template's context would take twice as long as the comment.
    macros: Any = current_app.jinja_env.get_template("thread/comment.html").module
    if view.root_id:
        return str(
            macros.comments(
                [Conversation(root=view, replies=[view])], thread_request, only="replies", likes=site.likes
            )
        )
    return str(macros.comments([Conversation(root=view)], thread_request, likes=site.likes))
