"""The language in which a person reads the admin view."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from commentsvc import messages
from commentsvc.messages import gettext
from commentsvc.models import Commenter
from commentsvc.web import page_language
from commentsvc.web.admin.context import person
from commentsvc.web.admin_forms import LanguageForm
from commentsvc.web.auth import cookies
from commentsvc.web.context import writing
from commentsvc.web.forms import require_valid

blueprint = Blueprint("own_language", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/language")
def page() -> ResponseReturnValue:
    """Show the languages of the admin view."""
    form = LanguageForm(formdata=None, data={"language": person().language or ""})
    return render_template("admin/language.html", admin=None, form=form)


@blueprint.post("/language")
def choose() -> ResponseReturnValue:
    """Store the chosen language, or that the browser decides."""
    form = LanguageForm()
    require_valid(form)
    with writing() as session:
        session.get_one(Commenter, person().id).language = form.language.data or None
    messages.use(page_language.of_admin_view(form.language.data))
    cookies.set_notice(gettext("Saved."))
    return redirect(url_for("queue.listing"), 303)
