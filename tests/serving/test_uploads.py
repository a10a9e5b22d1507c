"""A file goes from an owner's browser through the real server to the background work, and one too large does not."""

from __future__ import annotations

import http.client
import re
from http.cookies import SimpleCookie
from pathlib import Path

from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.domain.accounts import accounts
from commentsvc.models import Site
from commentsvc.serving.request_bodies import UPLOAD_LARGEST
from tests.conftest import environment
from tests.support import processes
from tests.support.browser_client import link_for, token_of
from tests.support.exports import FOLDER


class Owner:
    """An owner's browser, with a connection for each request."""

    def __init__(self, port: int) -> None:
        self.port, self.origin, self.cookie = port, f"http://127.0.0.1:{port}", ""

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=processes.PATIENCE)
        headers = {"Origin": self.origin, "Cookie": self.cookie} | ({"Content-Type": kind} if kind else {})
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        for value in answer.headers.get_all("Set-Cookie") or []:
            self.cookie = "; ".join(f"{name}={item.value}" for name, item in SimpleCookie(value).items())
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def page(self, path: str) -> str:
        return self.send("GET", path)[1]

    def post(self, path: str, form_page: str, file: bytes = b"", name: str = "") -> tuple[int, str]:
        """Send the form of a page, with a file."""
        fields = token_of(self.page(form_page))._asdict()
        parts = [
            f'--cut\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in fields.items()
        ]
        parts.append(
            f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        )
        body = b"".join([*parts, file, b"\r\n--cut--\r\n"])
        return self.send("POST", path, body, "multipart/form-data; boundary=cut")


def test_a_large_file_reaches_the_background_work(
    settings: Settings, site: Site, session: Session, tmp_path: Path
) -> None:
    link, path = link_for(session, accounts.operator(session)), f"/admin/sites/{site.id}/import"
    port = processes.free_port()
    variables = environment(
        tmp_path / "data",
        COMMENTSVC_DATABASE_URL=settings.database_url,
        COMMENTSVC_BASE_URL=f"http://127.0.0.1:{port}",
    )
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    disqus = (FOLDER / "disqus.xml").read_bytes()
    with processes.running(tmp_path / "output", variables, *arguments):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        owner = Owner(port)
        assert owner.post(f"/admin/sign-in/{link}", f"/admin/sign-in/{link}")[0] == 303
        status, page = owner.post(path, path, b" " * (UPLOAD_LARGEST + 1), "large.xml")
        assert status == 413
        assert "This file is larger than 50 MB." in page
        file = disqus.replace(b"</disqus>", b"<!-- padding -->" * 200_000 + b"</disqus>")
        assert owner.post(path, path, file, "disqus.xml")[0] == 303
        processes.until(lambda: "Dry run: nothing was changed." in owner.page(path), "the report")
        assert re.search(r"Comments: +7 would be new", owner.page(path))
        (stored,) = (tmp_path / "data" / "imports").iterdir()
        assert stored.read_bytes() == file
