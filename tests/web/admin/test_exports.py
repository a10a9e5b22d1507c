"""An owner downloads a site's comments in each format; nobody else does, and no cache keeps them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask

from commentsvc.domain.transfer.export_formats import FORMATS, ExportFormat
from commentsvc.web.context import services_of
from tests.support.admin_queue import AdminQueue, queue_in

EACH = pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        queue.write("A comment")
        queue.session.commit()
        yield queue


def path(it: AdminQueue, name: str = "") -> str:
    return f"/admin/sites/{it.site_id}/export{name and '/'}{name}"


def test_the_page_says_what_each_format_cannot_carry(it: AdminQueue) -> None:
    page = it.owner.page(path(it))
    for each in FORMATS:
        assert each.lost in page.replace("&#39;", "'")
        assert f'href="{path(it, each.name)}"' in page


@EACH
def test_a_download_has_the_comments_and_private_headers(it: AdminQueue, each: ExportFormat) -> None:
    response = it.owner.get(path(it, each.name))
    assert response.status_code == 200
    content = response.data
    response.close()
    if each.name == "archive":
        content = zipfile.ZipFile(io.BytesIO(content)).read("comment.ndjson")
    assert b"A comment" in content
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="blog-')
    assert response.headers["Content-Disposition"].endswith(f'{each.ending}"')


@EACH
def test_a_moderator_and_a_stranger_get_nothing(it: AdminQueue, each: ExportFormat, app: Flask) -> None:
    for status, client in ((404, it.moderator("Mo")), (401, app.test_client())):
        response = client.get(path(it, each.name))
        assert response.status_code == status
        assert b"A comment" not in response.data
    assert it.moderator("Mo").get(path(it)).status_code == 404


def test_an_unknown_format_is_not_found(it: AdminQueue) -> None:
    assert it.owner.get(path(it, "yaml")).status_code == 404


def test_one_download_runs_at_a_time(it: AdminQueue, app: Flask) -> None:
    running = services_of(app).export_slot
    running.acquire()
    assert it.owner.get(path(it, "json")).status_code == 429
    running.release()
    response = it.owner.get(path(it, "json"))
    assert not running.acquire(blocking=False)
    assert json.loads(response.data)[0]["text"] == "A comment"
    response.close()
    assert running.acquire(blocking=False)
