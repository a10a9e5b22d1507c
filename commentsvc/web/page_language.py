"""In which language a request is answered, and how templates speak it.

A frame speaks the language of the page around it, else its site's. A page that stands alone speaks the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from flask import Flask, request

from commentsvc import languages, messages
from commentsvc.domain.sites import site_words
from commentsvc.languages import ENGLISH, LANGUAGES
from commentsvc.models import Commenter, Site
from commentsvc.web import script_words

PARAMETER = "lang"
ADMIN = "/admin"
"""The admin view's path, where the parameter means nothing."""


def init_app(app: Flask) -> None:
    app.before_request(_use_readers)
    environment = app.jinja_env
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        _template_gettext,
        messages.ngettext,
        newstyle=True,
        pgettext=_template_pgettext,
        npgettext=messages.npgettext,
    )
    environment.globals.update(
        frame_words=script_words.frame_words,
        page_language=messages.language,
        plural_forms=messages.plural_forms,
    )


def readers() -> str:
    """Return the language that the browser asks for; empty if it is none of ours."""
    return languages.match_header(request.headers.get("Accept-Language", ""))


def of_admin_view(chosen: str | None = None) -> str:
    """Return the language of the admin view: what the person has `chosen`, else what the browser asks for."""
    if chosen in LANGUAGES and LANGUAGES[chosen].admin:
        return chosen
    header = request.headers.get("Accept-Language", "")
    return languages.match_header(header, admin=True) or ENGLISH


def asked(values: Mapping[str, str]) -> str:
    """Return the language that URL parameters or form fields name; empty for none of ours."""
    return languages.match(values.get(PARAMETER, ""))


def use_named(values: Mapping[str, str]) -> None:
    """Use the language that URL parameters or form fields name, if it is one of ours."""
    if language := asked(values):
        messages.use(language)


def use_for_person(person: Commenter) -> None:
    """Use the language that a person has chosen for their own pages, else the one of their browser."""
    messages.use(languages.match(person.language or "") or readers())


def use_for_site(site: Site, chosen: str, *, framed: bool) -> None:
    """Use the language of a site's thread, with the owner's own words; `chosen` is what the request names."""
    language = chosen or (not framed and readers()) or site.language
    messages.use(language, site_words.of(site, language))


def use_sites(site: Site) -> None:
    """Use a site's own language: what programs read is the same for all of them."""
    use_for_site(site, "", framed=True)


def _use_readers() -> None:
    """Use the reader's language, before anything is known of a site; the API answers in English."""
    if request.path.startswith("/api/"):
        return messages.use(ENGLISH)
    if request.path == ADMIN or request.path.startswith(f"{ADMIN}/"):
        return messages.use(of_admin_view())
    return messages.use(asked(request.args) or readers())


def _template_gettext(message: str) -> str:
    """Return a text for a template, which takes it for HTML: ours is, an owner's is escaped."""
    own = messages.own_words(message)
    return escape(own) if own else messages.gettext(message)


def _template_pgettext(context: str, message: str) -> str:
    """Return a text whose English is ambiguous, likewise."""
    own = messages.own_words(message, context)
    return escape(own) if own else messages.pgettext(context, message)
