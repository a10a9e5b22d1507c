"""The examples of docs/api.md, run as they are against a service."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from commentsvc.db.session import begin_write
from commentsvc.domain.threads.threads import address_on
from commentsvc.models import Site
from tests.conftest import BLOG, missing
from tests.support import documents
from tests.support.api_client import ApiSite, Program
from tests.support.comment_builders import Pen
from tests.support.documents import ROOT


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, *_parts: object) -> None: ...


def test_the_examples_work(
    app: Flask, session: Session, blog: ApiSite, robot: Program, tmp_path: Path
) -> None:
    if not shutil.which("curl"):
        missing("curl", "the document's examples need it")
    begin_write(session)
    Pen(session, address_on(session.get_one(Site, blog.id), f"{BLOG}/hello/")).write()
    session.commit()
    lines = documents.commands(ROOT / "docs" / "api.md")
    assert len(lines) > 15
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        api = f"http://127.0.0.1:{server.port}/api/v1"
        script = [line.replace("curl ", "curl --silent --show-error --fail ") for line in lines]
        done = subprocess.run(
            ["sh", "-ex", "-c", "\n".join(script)],
            env={**os.environ, "API": api, "TOKEN": robot.token},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr[-2000:]
    assert "A better text." in done.stdout
    assert (tmp_path / "blog.zip").read_bytes().startswith(b"PK")
