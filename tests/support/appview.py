"""A stand-in for Bluesky's public AppView: a real HTTP server with the documented answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.receiver import Reply

DEFS = "app.bsky.feed.defs#"
FIRST = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
JsonObject = dict[str, Any]


def did_of(name: str) -> str:
    """Return a DID of the right form for a person of a test, whose name has letters only."""
    return f"did:plc:{name.lower():a<24}"


class StandInAppView:
    """Posts by at-uri, and what is odd about them; `replies` are given before anything else."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.posts: dict[str, JsonObject] = {}
        self.children: dict[str, list[str]] = {}
        self.handles: dict[str, str] = {}
        self.deleted: set[str] = set()
        """The network has them no more; an answer to the post says so in their place."""
        self.left_out: set[str] = set()
        """Answers that exist, and are missing from the thread."""
        self.blocked: set[str] = set()
        self.hidden_by_author: list[str] = []
        self.oddities: list[Any] = []
        """Put among the replies to the post."""
        self.replies: list[Reply] = []
        self.asked: list[str] = []

    def post(
        self,
        name: str,
        text: str,
        parent: str | None = None,
        *,
        record: JsonObject | None = None,
        author: JsonObject | None = None,
        **fields: Any,
    ) -> str:
        """Add a post by a person, and return its at-uri; `record`, `author` and `fields` change what is sent."""
        did, number = did_of(name), len(self.posts) + 1
        handle = f"{name.lower()}.bsky.example"
        self.handles.setdefault(handle, did)
        uri = f"at://{did}/app.bsky.feed.post/3k{number:011}"
        at = (FIRST + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
        self.posts[uri] = {
            "$type": f"{DEFS}postView",
            "uri": uri,
            "cid": f"cid{number}",
            "author": {"did": did, "handle": handle, "displayName": name, "labels": [], **(author or {})},
            "record": {
                "$type": "app.bsky.feed.post",
                "text": text,
                "createdAt": at,
                "langs": ["en"],
                **(record or {}),
            },
            "likeCount": 0,
            "repostCount": 0,
            "replyCount": 0,
            "indexedAt": at,
            "labels": [],
            **fields,
        }
        if parent:
            self.children.setdefault(parent, []).append(uri)
        return uri

    def answer(self, path: str) -> tuple[int, JsonObject]:
        """Return the status and the object that answers a request."""
        parts = urlsplit(path)
        method, query = parts.path.removeprefix("/xrpc/"), parse_qs(parts.query)
        self.asked.append(method.rpartition(".")[2])
        if method == "com.atproto.identity.resolveHandle":
            did = self.handles.get(query["handle"][0])
            return (
                (200, {"did": did})
                if did
                else (400, {"error": "InvalidRequest", "message": "Unable to resolve handle"})
            )
        if method == "app.bsky.feed.getPosts":
            assert len(query["uris"]) <= 25
            present = [uri for uri in query["uris"] if uri in self.posts and uri not in self.deleted]
            return 200, {"posts": [self.posts[uri] for uri in present]}
        assert method == "app.bsky.feed.getPostThread"
        assert query["parentHeight"] == ["0"]
        uri = query["uri"][0]
        if uri not in self.posts or uri in self.deleted:
            return 400, {"error": "NotFound", "message": f"Post not found: {uri}"}
        top = self._node(uri, int(query["depth"][0]))
        top["replies"] = [*top.get("replies", []), *self.oddities]
        gate = {"uri": f"{uri}/gate", "record": {"hiddenReplies": self.hidden_by_author}}
        return 200, {"thread": top, "threadgate": gate}

    def _node(self, uri: str, depth: int) -> JsonObject:
        if uri in self.deleted:
            return {"$type": f"{DEFS}notFoundPost", "uri": uri, "notFound": True}
        if uri in self.blocked:
            author = {"did": uri.split("/")[2]}
            return {"$type": f"{DEFS}blockedPost", "uri": uri, "blocked": True, "author": author}
        node: JsonObject = {"$type": f"{DEFS}threadViewPost", "post": self.posts[uri]}
        if depth:
            below = [child for child in self.children.get(uri, []) if child not in self.left_out]
            node["replies"] = [self._node(child, depth - 1) for child in below]
        return node


@contextmanager
def appview() -> Iterator[StandInAppView]:
    """Run a stand-in on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if view.replies:
                reply = view.replies.pop(0)
            else:
                status, answer = view.answer(self.path)
                reply = Reply(status, {"Content-Type": "application/json"}, json.dumps(answer).encode())
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    view = StandInAppView(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield view
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
