"""/metrics: what only the service knows, for a Prometheus server that has the token."""

from __future__ import annotations

import hmac
from importlib.metadata import version

from flask import Blueprint, Response, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import NotFound, Unauthorized

from commentsvc.domain.maintenance import backups, service_metrics
from commentsvc.integrations import prometheus
from commentsvc.web.context import database, now, services, settings

blueprint = Blueprint("metrics", __name__)

_CHALLENGE = WWWAuthenticate("bearer")


def guard() -> None:
    """Refuse everybody without the token; without one in the settings there is no such page."""
    token = settings().metrics_token
    if not token:
        raise NotFound
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(f"Bearer {token}".encode(), given.encode(errors="replace")):
        raise Unauthorized("This page needs the token of the metrics.", www_authenticate=_CHALLENGE)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return all metrics in Prometheus's text format."""
    families = service_metrics.families(
        database(),
        at=now(),
        version=version("commentsvc"),
        code=services().code,
        backup=backups.last_proved(settings()),
    )
    return Response(prometheus.exposition(families), content_type=prometheus.CONTENT_TYPE)
