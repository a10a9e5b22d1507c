"""nginx, twice: a static server of the very bytes that ours answers, and the proxy in front of both for browsers.

It is set as fast as it goes: files kept open, no log. Ours writes its access log all the while.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench import asking, processes, tools
from bench.asking import Answer

NAME = "nginx"
_OWN = frozenset({"connection", "content-length", "content-type", "date", "etag", "last-modified", "server"})
"""Headers that nginx makes by itself."""

_CONFIG = """{user}
daemon off;
worker_processes 2;
load_module {brotli};
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  open_file_cache max=10000 inactive=600s;
  open_file_cache_valid 60s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    root {folder}/files;
    default_type "text/html; charset=utf-8";
    location = /ready {{ return 200; }}
{headers}
  }}
{proxies}
}}
"""
_PROXY = """  server {{
    listen 127.0.0.1:{port};
    brotli on;
    brotli_types text/css text/javascript application/javascript application/json image/svg+xml;
    location / {{
      proxy_pass http://127.0.0.1:{peer};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }}
  }}"""


class Nginx:
    """A static server; `keep` what it is to answer, say what it is a `proxy` for, then `start`."""

    def __init__(self, folder: Path) -> None:
        self._tool = tools.nginx()
        self.version = self._tool.version
        self._folder = folder
        self.port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "files").mkdir(parents=True)
        self._headers: dict[str, str] = {}
        self._proxies: list[str] = []
        command: list[str | Path] = [self._tool.path, "-p", folder, "-c", folder / "nginx.conf"]
        self._server = processes.Server([*command, "-e", folder / "error.log"], folder / "log")

    def keep(self, path: str, answer: Answer) -> None:
        """Answer at `path` what another has answered: its body, byte for byte, with its headers."""
        file = self._folder / "files" / (path.strip("/") + "/index")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer.body)
        self._headers = {name: value for name, value in answer.headers.items() if name not in _OWN}

    def thread(self, path: str, query: str) -> str:
        """Return the path at which it answers for an article, with a query that it does not heed."""
        return f"{path.rstrip('/')}/index?{query}"

    def proxy(self, peer: int) -> int:
        """Return a port at which browsers will reach what listens at the port `peer`."""
        port = processes.free_port()
        self._proxies.append(_PROXY.format(port=port, peer=peer))
        return port

    def start(self) -> None:
        """Start it. Raises NotRunningError."""
        headers = "\n".join(
            f"    add_header {name} {_quoted(value)} always;" for name, value in self._headers.items()
        )
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        text = _CONFIG.format(
            user="user root;" if root else "",
            brotli=self._tool.brotli,
            folder=self._folder,
            port=self.port,
            headers=headers,
            proxies="\n".join(self._proxies),
        )
        (self._folder / "nginx.conf").write_text(text)
        self._server.start(f"{self.url}/ready")

    def stop(self) -> None:
        """End it."""
        self._server.stop()

    def check_thread(self, path: str, query: str, wanted: Answer) -> None:
        """Raise WrongAnswerError unless it answers the bytes that it was given."""
        answer = asking.get(self.url + self.thread(path, query))
        same = answer.body == wanted.body and answer.encoding == wanted.encoding
        answer.require(200, f"{NAME}: {path}", same)

    def not_modified(self, path: str, query: str) -> dict[str, str]:
        """Return the headers of somebody who has the file already; raises WrongAnswerError."""
        address = self.url + self.thread(path, query)
        headers = {"If-None-Match": asking.get(address).headers.get("etag", "")}
        asking.get(address, **headers).require(304, f"{NAME}: has it already")
        return headers


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "") + '"'
