"""A site's settings, for its owner."""

from __future__ import annotations

from dataclasses import asdict, replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from commentsvc.domain.sites import site_settings
from commentsvc.domain.sites.site_settings import SiteSettings
from commentsvc.domain.subscriptions import feeds
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import EditWindow, FieldRule, Likes, Order, Site
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin_forms import SiteForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, settings, writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("site_settings", __name__, url_prefix=cookies.ADMIN)


@blueprint.route("/sites/<site:site_id>", methods=["GET", "POST"])
def edit(site_id: int) -> ResponseReturnValue:
    """Show the form, or save it."""
    admin = AdminContext.for_site(site_id, owner=True)
    form = SiteForm(data=_stored(admin.site))
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            _save(form, site_id)
        except InvalidFieldsError as error:
            errors = error.fields
        else:
            cookies.set_notice(gettext("Saved."))
            return redirect(url_for("site_settings.edit", site_id=site_id), 303)
    html = render_template(
        "admin/settings.html",
        admin=admin,
        form=form,
        errors=errors,
        notice=cookies.pop_notice(),
        feed_error=feeds.error_of(database(), admin.site),
        sends_mail=bool(settings().smtp_url),
    )
    return make_response(html, 422 if errors else 200)


def _save(form: SiteForm, site_id: int) -> None:
    require_valid(form)
    try:
        with writing() as session:
            site = AdminContext.for_site(site_id, owner=True).site
            site_settings.change(session, site, _wanted(form, site), base_url=settings().base_url)
    except IntegrityError:  # another owner took the name or an origin at the same moment
        raise InvalidFieldsError(
            {"name": gettext("The name or one of the origins has just been taken by another site.")}
        ) from None


def _wanted(form: SiteForm, site: Site) -> SiteSettings:
    """Return what the form says; what it has no field for stays."""
    return replace(
        SiteSettings.read(site),
        name=form.name.data or "",
        heading=form.heading.data or "",
        language=form.language.data,
        origins=(form.origins.data or "").replace(",", " ").split(),
        previews=(form.previews.data or "").replace(",", " ").split(),
        preview_comments=bool(form.preview_comments.data),
        guests=bool(form.guests.data),
        comment_mail=bool(form.comment_mail.data),
        post_mail=bool(form.post_mail.data),
        feed_url=form.feed_url.data or "",
        moderator_mail=bool(form.moderator_mail.data),
        comment_feeds=bool(form.comment_feeds.data),
        webmention=bool(form.webmention.data),
        mastodon=bool(form.mastodon.data),
        bluesky=bool(form.bluesky.data),
        count_foreign=bool(form.count_foreign.data),
        order=Order(form.order.data),
        likes=Likes(form.likes.data),
        edit_window=EditWindow(form.edit_window.data),
        name_field=FieldRule(form.name_field.data),
        email_field=FieldRule(form.email_field.data),
        website_field=FieldRule(form.website_field.data),
        close_after_days=form.close_after_days.data,
        ignored_parameters=form.ignored_parameters.data or "",
    )


def _stored(site: Site) -> dict[str, object]:
    """Return what the form shows of the stored settings."""
    stored = SiteSettings.read(site)
    lines = {"origins": "\n".join(stored.origins), "previews": "\n".join(stored.previews)}
    return asdict(stored) | lines
