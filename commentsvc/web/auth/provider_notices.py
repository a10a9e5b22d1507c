"""Where login providers send notices about their users, and the page that says what became of a deletion.

Whoever sends something that is not valid learns nothing: every fault has the same answer, and only the log says more.
"""

from __future__ import annotations

import logging

from flask import Blueprint, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc import strict_json
from commentsvc.domain.maintenance import provider_notices, retention
from commentsvc.errors import InvalidNoticeError, NotFoundError
from commentsvc.integrations import signing
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.integrations.oauth.received_notice import ReceivedNotice
from commentsvc.messages import gettext
from commentsvc.models import NoticeKind
from commentsvc.web import access, headers
from commentsvc.web.auth import provider_calls, reader
from commentsvc.web.context import database, limiter, now, providers, settings

blueprint = Blueprint("provider_notices", __name__, url_prefix="/login")

log = logging.getLogger(__name__)

LIMIT = "60/minute;1200/hour"
"""Notices, and views of the page, per network."""
_CODE_LENGTH = 32
"""Hexadecimal digits, of which nobody can guess any."""


@blueprint.post("/facebook/deletion", defaults={"kind": NoticeKind.DELETION})
@blueprint.post("/facebook/deauthorize", defaults={"kind": NoticeKind.WITHDRAWAL})
def facebook(kind: NoticeKind) -> ResponseReturnValue:
    """Meta's data deletion and deauthorise callbacks; the answer has the form that Meta requires."""
    limiter("provider notices").hit(access.network())
    provider = _provider("facebook")
    code = _carry_out(provider, _signed_request(provider, kind))
    url = f"{settings().base_url}/login/deletion/{code}"
    return headers.no_store(jsonify(url=url, confirmation_code=code))


@blueprint.post("/apple/notices")
def apple() -> ResponseReturnValue:
    """Apple's server-to-server notices. Apple repeats a notice until the answer is 200."""
    limiter("provider notices").hit(access.network())
    provider = _provider("apple")
    try:
        notice = provider_calls.read_apple_notice(provider, _payload())
    except InvalidNoticeError as error:
        log.warning("a notice of Apple was refused: %s", error.reason)
        raise
    if notice is not None:
        _carry_out(provider, notice)
    return headers.no_store(jsonify(received=True))


@blueprint.get("/deletion/<code>")
def deletion(code: str) -> ResponseReturnValue:
    """What became of a request for deletion, for whoever has its confirmation code."""
    limiter("provider notices").hit(access.network())
    notice = provider_notices.find(database(), code)
    if notice is None or notice.kind is not NoticeKind.DELETION:
        notice = None
    html = render_template(
        "login/deletion.html",
        notice=notice,
        label=reader.label_of(notice.provider) if notice else "",
        days=retention.NOTICES_KEPT.days,
    )
    return headers.no_store(make_response(html, 200 if notice else 404))


def _provider(key: str) -> Provider:
    provider = providers().get(key)
    if provider is None:
        raise NotFoundError(gettext("This service does not offer this login."))
    return provider


def _signed_request(provider: Provider, kind: NoticeKind) -> ReceivedNotice:
    from commentsvc.integrations.oauth import signed_request  # here, because few services need it

    text = request.form.get("signed_request", "")
    try:
        return signed_request.read(text, provider.client_secret, kind, at=now().timestamp())
    except InvalidNoticeError as error:
        log.warning("a notice of Facebook was refused: %s", error.reason)
        raise


def _payload() -> str:
    """Return the token in the JSON that Apple sends; raises InvalidNoticeError."""
    try:
        payload = strict_json.read_object(request.get_data())["payload"]
    except (ValueError, KeyError) as error:
        raise InvalidNoticeError("it has no payload") from error
    return str(payload)


def _carry_out(provider: Provider, notice: ReceivedNotice) -> str:
    """Carry a notice out and return its confirmation code, which is the same each time it is repeated. Commits."""
    named = "\0".join((provider.key, notice.kind, notice.subject, notice.number))
    code = signing.keyed_hash(settings().secret_key, "provider notice", named)[:_CODE_LENGTH]
    provider_notices.receive(database(), provider.key, provider.issuer, notice, code=code, at=now())
    return code
