"""The sentences that an owner writes in other words than ours, one language at a time."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc import languages
from commentsvc.domain.sites import site_words
from commentsvc.errors import InvalidFieldsError
from commentsvc.languages import LANGUAGES
from commentsvc.messages import gettext
from commentsvc.models import Site
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies
from commentsvc.web.context import now, writing

blueprint = Blueprint("wording", __name__, url_prefix=cookies.ADMIN)


@blueprint.route("/sites/<site:site_id>/wording", methods=["GET", "POST"])
def edit(site_id: int) -> ResponseReturnValue:
    """Show our sentences in a language beside the owner's, or save the owner's."""
    admin = AdminContext.for_site(site_id, owner=True)
    language, errors = _language(admin.site), {}
    if request.method == "POST":
        try:
            changed = _save(site_id, language)
        except InvalidFieldsError as error:
            errors = error.fields
            admin = AdminContext.for_site(site_id, owner=True)
        else:
            cookies.set_notice(gettext("Saved.") if changed else gettext("Nothing was changed."))
            return redirect(url_for("wording.edit", site_id=site_id, language=language), 303)
    return _show(admin, language, errors, request.form)


def _save(site_id: int, language: str) -> bool:
    with writing() as session:
        admin = AdminContext.for_site(site_id, owner=True)
        return site_words.change(
            session, admin.site, language, request.form, moderator_id=admin.person.id, at=now()
        )


def _show(
    admin: AdminContext, language: str, errors: dict[str, str], typed: Mapping[str, str]
) -> ResponseReturnValue:
    html = render_template(
        "admin/wording.html",
        admin=admin,
        language=LANGUAGES[language],
        languages=LANGUAGES.values(),
        changed=[LANGUAGES[code] for code in site_words.languages_of(admin.site)],
        fields=site_words.wording(admin.site, language),
        longest=site_words.LONGEST,
        errors=errors,
        typed=typed,
        notice=cookies.pop_notice(),
    )
    return make_response(html, 422 if errors else 200)


def _language(site: Site) -> str:
    """Return the language that the URL names, else the site's."""
    return languages.match(request.args.get("language", "")) or site.language
