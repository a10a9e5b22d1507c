"""A site's rules for new comments: previewed on stored comments, and then saved."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.admin import report_preview, rule_preview, site_rules
from commentsvc.domain.admin.report_preview import Comparison
from commentsvc.domain.admin.rule_preview import RulePreview
from commentsvc.domain.admin.site_rules import RuleChange
from commentsvc.domain.spam import akismet_check, spam_filter, training
from commentsvc.domain.spam.checks import Rules
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import Policy, Site, Status
from commentsvc.web import headers
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.admin_forms import RulesForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, settings, writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("rules", __name__, url_prefix=cookies.ADMIN)

RULES = "/sites/<site:site_id>/rules"


@dataclass
class _Page:
    """What the page shows in addition to the current rules."""

    form: RulesForm
    errors: dict[str, str] = field(default_factory=dict)
    tried: RulePreview | None = None
    reports: Comparison | None = None


@blueprint.route(RULES, methods=["GET", "POST"])
def edit(site_id: int) -> ResponseReturnValue:
    """Show the form, preview the rules, or save them."""
    admin = AdminContext.for_site(site_id, owner=True)
    page = _Page(RulesForm(data=_stored(admin.site)))
    if request.method == "POST":
        try:
            wanted = _wanted(page.form)
            if request.form.get("do") == "save":
                return _save(site_id, wanted)
            page.tried = rule_preview.preview(database(), admin.site, wanted.policy, wanted.rules)
            page.reports = report_preview.compare(
                database(), site_id, admin.site.reports_to_hold, wanted.reports_to_hold or 0
            )
        except InvalidFieldsError as error:
            page.errors = error.fields
    return _show(site_id, page)


@blueprint.post(f"{RULES}/akismet")
def akismet(site_id: int) -> ResponseReturnValue:
    """Turn Akismet on with a valid key, or off."""
    admin = AdminContext.for_site(site_id, owner=True)
    switched_off = request.form.get("do") == "off"
    try:
        key = "" if switched_off else site_rules.akismet_key(request.form.get("key", ""))
        if not key and not switched_off:
            raise InvalidFieldsError({"key": gettext("Please enter your key")})
        is_good = _known_to_akismet(key, admin.site) if key else True
    except InvalidFieldsError as error:
        site = AdminContext.for_site(site_id, owner=True).site
        return _show(site_id, _Page(RulesForm(formdata=None, data=_stored(site)), error.fields))
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        site_rules.set_akismet(session, admin.site, key, moderator_id=admin.person.id, at=now())
    cookies.set_notice(_said_of_akismet(key, is_good))
    return redirect(url_for("rules.edit", site_id=site_id), 303)


def _known_to_akismet(key: str, site: Site) -> bool | None:
    """Ask Akismet about a key, outside any transaction; raises InvalidFieldsError if it is wrong."""
    blog = site.origins[0].origin if site.origins else settings().base_url
    database().rollback()
    known_to_akismet = akismet_check.is_known_to_akismet(key, blog)
    if known_to_akismet is False:
        raise InvalidFieldsError(
            {"key": gettext("Akismet does not know this key. Please copy it from your account there")}
        )
    return known_to_akismet


def _said_of_akismet(key: str, is_good: bool | None) -> str:
    if not key:
        return gettext("Akismet is off.")
    if is_good is None:
        return gettext(
            "Saved, but Akismet could not be reached to check the key. New comments are sent to it anyway."
        )
    return gettext("Akismet accepts the key and will check new comments.")


@blueprint.post(f"{RULES}/forget")
def forget(site_id: int) -> ResponseReturnValue:
    """Empty the local filter."""
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        site_rules.forget(session, admin.site, moderator_id=admin.person.id, at=now())
    cookies.set_notice(gettext("The filter is emptied."))
    return redirect(url_for("rules.edit", site_id=site_id), 303)


def _show(site_id: int, page: _Page) -> ResponseReturnValue:
    admin = AdminContext.for_site(site_id, owner=True)
    html = render_template(
        "admin/rules.html",
        admin=admin,
        form=page.form,
        errors=page.errors,
        tried=page.tried,
        reports=page.reports,
        statuses=list(Status),
        learned=training.learned_counts(database(), site_id),
        enough=spam_filter.ENOUGH,
        notice=cookies.pop_notice(),
    )
    return headers.no_store(make_response(html, 422 if page.errors else 200))


def _save(site_id: int, wanted: RuleChange) -> ResponseReturnValue:
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        changed = site_rules.save(session, admin.site, wanted, moderator_id=admin.person.id, at=now())
    cookies.set_notice(gettext("The rules are saved.") if changed else gettext("Nothing was changed."))
    return redirect(url_for("rules.edit", site_id=site_id), 303)


def _wanted(form: RulesForm) -> RuleChange:
    require_valid(form)
    return site_rules.check(
        RuleChange(
            Policy(form.policy.data),
            Rules(
                moderation_words=form.moderation_words.data or "",
                disallowed_words=form.disallowed_words.data or "",
                most_links=form.most_links.data,
                filter_threshold=(form.filter_threshold.data or 0) / 100,
            ),
            form.reports_to_hold.data,
        )
    )


def _stored(site: Site) -> dict[str, object]:
    return {
        "policy": site.policy.value,
        "moderation_words": site.moderation_words,
        "disallowed_words": site.disallowed_words,
        "most_links": site.most_links,
        "filter_threshold": round(site.filter_threshold * 100),
        "reports_to_hold": site.reports_to_hold,
    }
