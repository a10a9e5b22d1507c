"""Login providers as their vendors document them, answering on this machine, and as badly as a test tells them to.

Each vendor is a folder of one server. A test changes what one says by filling its dictionaries: `answer` is what the
browser brings back, `claims` what the ID token says, `told` the profile, `metadata` the discovery document; None
takes a value away. `instead` plays something else altogether in the place of an answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from commentsvc.http_client import client as http_client
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import Provider
from tests.support.certificates import Authority
from tests.support.strange_server import PUBLIC

CLIENT_ID, CLIENT_SECRET = "comments.example", "k3ZrGm0bUe-what-both-of-them-know-7Yq"
CALLBACK = "http://127.0.0.1:8600/login/callback/"
PICTURE = "https://pictures.example/ada.png"
HTML = "<!doctype html><title>Log in</title><p>Please log in to continue."

Play = Callable[["Handler"], None]


@dataclass(frozen=True)
class Request:
    """What came in, its parameters read."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What goes out."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(found: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(found).encode(), {"Content-Type": "application/json"})


def as_html(text: str, status: int = 200) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def changed(found: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `found` with `changes` made to it; None takes a value away."""
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


@cache
def rsa(name: str) -> RSAKey:
    """Return one and the same key each time; making one takes a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@cache
def apples_key() -> ECKey:
    """The private key that Apple's portal gave us for client secrets."""
    return ECKey.generate_key("P-256", {"kid": "APPLEKEYID"})


class Vendor:
    """OAuth 2 as most do it; what is different at one is in its own class."""

    key: ClassVar[str]
    scopes: ClassVar[frozenset[str]] = frozenset()
    token_auth: ClassVar[frozenset[str]] = frozenset({"basic", "post"})
    pkce: ClassVar[str] = "required"
    paths: ClassVar[Mapping[str, str]] = {
        "/authorize": "authorize",
        "/token": "token",
        "/profile": "profile",
    }

    def __init__(self, base: str) -> None:
        self.base = base
        self.client_id, self.client_secret = CLIENT_ID, CLIENT_SECRET
        self.redirect_uri = CALLBACK + self.key
        self.answer: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.granted: dict[str, Any] = {}
        self.instead: dict[str, Play | Reply] = {}
        self.asked: list[Request] = []
        self._codes: dict[str, Mapping[str, str]] = {}
        self._tokens: dict[str, Mapping[str, str]] = {}

    def row(self) -> Provider:
        """Return the service's own row for this vendor, pointed here."""
        return replace(
            next(row for row in catalogue.ROWS if row.key == self.key),
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            authorize_url=f"{self.base}/authorize",
            token_url=f"{self.base}/token",
            profile_url=f"{self.base}/profile{self.profile_query}",
        )

    @property
    def profile_query(self) -> str:
        """What the row asks the profile with; a fixed part of the vendor's address."""
        own = next(row for row in catalogue.ROWS if row.key == self.key)
        query = urlsplit(own.profile_url).query
        return f"?{query}" if query else ""

    def handle(self, request: Request) -> Play | Reply:
        self.asked.append(request)
        if request.path in self.instead:
            return self.instead[request.path]
        name = self.paths.get(request.path)
        answer: Reply = getattr(self, name)(request) if name else as_html("Not found", 404)
        return answer

    def authorize(self, request: Request) -> Reply:
        """A browser comes; somebody agrees at once, and it is sent straight back."""
        asked = request.query
        if problem := self._problem(asked):
            return as_html(problem, 400)
        code = secrets.token_urlsafe(24)
        self._codes[code] = asked
        return self._send_back(asked, changed({"code": code, "state": asked["state"]}, self.answer))

    def token(self, request: Request) -> Reply:
        """A code is exchanged, once, by the client it was made for."""
        asked = request.form
        if request.method != "POST" or asked.get("grant_type") != "authorization_code":
            return as_json({"error": "invalid_request"}, 400)
        if self._authenticated(request) not in self.token_auth:
            return as_json({"error": "invalid_client"}, 401)
        grant = self._codes.pop(asked.get("code", ""), None)
        if grant is None or asked.get("redirect_uri") != grant["redirect_uri"]:
            return self._refused()
        if "code_challenge" in grant and grant["code_challenge"] != s256(asked.get("code_verifier", "")):
            return self._refused()
        access = secrets.token_urlsafe(24)
        self._tokens[access] = grant
        return as_json(changed(self.grant(grant, access), self.granted))

    def grant(self, grant: Mapping[str, str], access: str) -> dict[str, Any]:
        return {"access_token": access, "token_type": "bearer", "expires_in": 3600}

    def profile(self, request: Request) -> Reply:
        grant = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if grant is None:
            return as_json({"error": "invalid_token"}, 401)
        return as_json(changed(self.person(request), self.told))

    def person(self, request: Request) -> dict[str, Any]:
        """What the vendor says of the one person it knows."""
        raise NotImplementedError

    def _problem(self, asked: Mapping[str, str]) -> str:
        if asked.get("client_id") != self.client_id or asked.get("redirect_uri") != self.redirect_uri:
            return "unknown client or redirect_uri"
        if asked.get("response_type") != "code" or len(asked.get("state", "")) < 20:
            return "no response_type or state"
        if set(asked.get("scope", "").split()) != self.scopes:
            return f"scope is {asked.get('scope')!r}"
        given = asked.get("code_challenge_method") == "S256" and len(asked.get("code_challenge", "")) == 43
        if (self.pkce == "required" and not given) or (self.pkce == "refused" and "code_challenge" in asked):
            return f"PKCE is {self.pkce}"
        return ""

    def _send_back(self, asked: Mapping[str, str], found: Mapping[str, str]) -> Reply:
        return Reply(302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(found)}"})

    def _refused(self) -> Reply:
        return as_json({"error": "invalid_grant"}, 400)

    def _authenticated(self, request: Request) -> str:
        pair = f"{self.client_id}:{self.client_secret}".encode()
        if request.headers.get("authorization") == f"Basic {base64.b64encode(pair).decode()}":
            return "basic"
        given = (request.form.get("client_id"), request.form.get("client_secret"))
        return "post" if given == (self.client_id, self.client_secret) else "nobody"


def s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class OpenId(Vendor):
    """OpenID Connect: discovery, ID tokens and userinfo; Keycloak and its like."""

    key = "oidc_test"
    scopes = frozenset({"openid", "profile", "email"})
    paths: ClassVar[Mapping[str, str]] = {
        **Vendor.paths,
        "/.well-known/openid-configuration": "discovery",
        "/keys": "jwks",
    }
    methods: ClassVar[tuple[str, ...] | None] = ("client_secret_basic", "client_secret_post")
    says_iss = True
    tells_profile_in_token = True

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.signs: Key = rsa("first")
        self.shows: list[Key] = [rsa("first"), rsa("second")]

    @property
    def issuer(self) -> str:
        return self.base

    def row(self) -> Provider:
        own = next((row for row in catalogue.ROWS if row.key == self.key), None)
        if own is None:
            own = Provider(
                key=self.key,
                label="Example ID",
                issuer="",
                scope="openid profile email",
                userinfo=True,
                token_auth="",
            )
        return replace(own, issuer=self.base, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)

    def discovery(self, request: Request) -> Reply:
        results = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "userinfo_endpoint": f"{self.base}/profile",
            "jwks_uri": f"{self.base}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
            "authorization_response_iss_parameter_supported": self.says_iss,
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return as_json(changed(results, self.metadata))

    def jwks(self, request: Request) -> Reply:
        return as_json(KeySet(self.shows).as_dict(private=False))

    def _send_back(self, asked: Mapping[str, str], found: Mapping[str, str]) -> Reply:
        iss = {"iss": self.issuer} if self.says_iss else {}
        return super()._send_back(asked, changed(iss, found | self.answer))

    def grant(self, grant: Mapping[str, str], access: str) -> dict[str, Any]:
        return {**super().grant(grant, access), "token_type": "Bearer", "id_token": self.id_token(grant)}

    def id_token(self, grant: Mapping[str, str]) -> str:
        now = int(time.time())
        results = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 300,
            "nonce": grant.get("nonce"),
        }
        about = self.about() if self.tells_profile_in_token else {}
        return self.signed(changed(about | results, self.claims))

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Return the token; `none` and HS256 are made by hand, for no library wants to."""
        if self.algorithm not in {"none", "HS256"}:
            header = {"alg": self.algorithm, "kid": self.signs.kid, "typ": "JWT"}
            # Not `jwt.encode`, which cannot write everything that JSON can.
            return jws.serialize_compact(header, json.dumps(claims), self.signs, algorithms=[self.algorithm])
        parts = [{"alg": self.algorithm, "typ": "JWT"}, claims]
        text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
        mac = hmac.digest(CLIENT_SECRET.encode(), text, "sha256") if self.algorithm == "HS256" else b""
        return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()

    def about(self) -> dict[str, Any]:
        return {
            "name": "Ada Lovelace",
            "picture": PICTURE,
            "email": "ada@mail.example",
            "email_verified": True,
        }

    def person(self, request: Request) -> dict[str, Any]:
        return {"sub": "248289761001", **self.about()}


class OnlyBasic(OpenId):
    """Authelia as it comes: basic authentication, and a profile in userinfo alone."""

    key = "oidc_authelia"
    token_auth = frozenset({"basic"})
    methods = None  # what the specification takes an empty place for
    says_iss = False
    tells_profile_in_token = False


class OnlyPost(OpenId):
    """An issuer that takes the secret in the form, and says so."""

    key = "oidc_post"
    token_auth = frozenset({"post"})
    methods = ("client_secret_post", "private_key_jwt")


class Google(OpenId):
    key = "google"
    scopes = frozenset({"openid", "profile"})
    token_auth = frozenset({"basic", "post"})
    says_iss = False


class GitLab(OpenId):
    """Tells the name in userinfo alone."""

    key = "gitlab"
    scopes = frozenset({"openid", "profile"})
    says_iss = False
    tells_profile_in_token = False


class WordPress(OpenId):
    key = "wordpress"
    says_iss = False


class Microsoft(OpenId):
    """The metadata's issuer is a template; each token has its own tenant's."""

    key = "microsoft"
    scopes = frozenset({"openid", "profile"})
    token_auth = frozenset({"post"})
    methods = ("client_secret_post", "private_key_jwt")
    says_iss = False
    TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"

    @property
    def issuer(self) -> str:
        return f"{self.base}/{{tenantid}}/v2.0"

    def about(self) -> dict[str, Any]:
        # An administrator of any tenant can give anybody any e-mail.
        return {
            "iss": f"{self.base}/{self.TENANT}/v2.0",
            "tid": self.TENANT,
            "name": "Ada Lovelace",
            "email": "president@whitehouse.example",
        }

    def id_token(self, grant: Mapping[str, str]) -> str:
        self.claims = {"iss": f"{self.base}/{self.TENANT}/v2.0", "tid": self.TENANT} | self.claims
        return super().id_token(grant)


class LinkedIn(OpenId):
    """Refuses PKCE, takes the secret in the form alone, and forgets the nonce."""

    key = "linkedin"
    scopes = frozenset({"openid", "profile"})
    token_auth = frozenset({"post"})
    methods = None
    pkce = "refused"
    says_iss = False

    def id_token(self, grant: Mapping[str, str]) -> str:
        self.claims = {"nonce": None} | self.claims
        return super().id_token(grant)


class Apple(OpenId):
    """Posts its answer from its own page; the client secret is a token of ours; the name comes once."""

    key = "apple"
    scopes = frozenset({"name", "email"})
    token_auth = frozenset({"token"})
    pkce = "allowed"
    says_iss = False
    TEAM = "TEAMTEAM01"

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self.known = False

    def row(self) -> Provider:
        options = {
            "team_id": self.TEAM,
            "key_id": "APPLEKEYID",
            "private_key": apples_key().as_pem(private=True).decode().replace("\n", "\\n"),
        }
        return replace(
            next(row for row in catalogue.ROWS if row.key == self.key),
            issuer=self.base,
            client_id=CLIENT_ID,
            options=options,
            authorize_url=f"{self.base}/authorize",
            token_url=f"{self.base}/token",
            keys_url=f"{self.base}/keys",
        )

    def _problem(self, asked: Mapping[str, str]) -> str:
        wrong = asked.get("response_mode") != "form_post"
        return (
            "response_mode must be form_post when name or email is asked"
            if wrong
            else super()._problem(asked)
        )

    def _send_back(self, asked: Mapping[str, str], found: Mapping[str, str]) -> Reply:
        user = {"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "ada@privaterelay.appleid.com"}
        first = {} if self.known else {"user": json.dumps(user)}
        self.known = True
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in changed(first | dict(found), self.answer).items()
        )
        return as_html(f'<form method="post" action="{asked["redirect_uri"]}">{inputs}</form>')

    def _authenticated(self, request: Request) -> str:
        """The secret is ours, signed ES256, for Apple, and lives half a year at most."""
        try:
            result = jwt.decode(request.form["client_secret"], apples_key(), algorithms=["ES256"])
        except Exception:
            return "nobody"
        said, now = result.claims, time.time()
        fits = (said["iss"], said["sub"], said["aud"]) == (self.TEAM, CLIENT_ID, self.base)
        lives = said["iat"] <= now < said["exp"] < now + 15_777_000
        known = result.header["kid"] == "APPLEKEYID" and request.form["client_id"] == CLIENT_ID
        return "token" if fits and lives and known else "nobody"

    def about(self) -> dict[str, Any]:
        return {"email": "ada@privaterelay.appleid.com", "email_verified": "true"}


class X(Vendor):
    key = "x"
    scopes = frozenset({"users.read", "tweet.read"})
    token_auth = frozenset({"basic"})

    def person(self, request: Request) -> dict[str, Any]:
        data = {"id": "2244994945", "name": "Ada Lovelace", "username": "ada"}
        if "profile_image_url" in request.query.get("user.fields", ""):
            data["profile_image_url"] = PICTURE
        return {"data": data}


class Facebook(Vendor):
    """Knows no PKCE; a token alone is not enough where the application asks for proof of its secret."""

    key = "facebook"
    scopes = frozenset({"public_profile"})
    token_auth = frozenset({"post"})
    pkce = "refused"

    def profile(self, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        proof = hmac.new(CLIENT_SECRET.encode(), token.encode(), "sha256").hexdigest()
        if request.query.get("appsecret_proof") != proof:
            fault = {"message": "API calls from the server require an appsecret_proof argument", "code": 100}
            return as_json({"error": fault}, 400)
        return super().profile(request)

    def person(self, request: Request) -> dict[str, Any]:
        picture = {"data": {"height": 50, "is_silhouette": False, "url": PICTURE, "width": 50}}
        known = {"id": "10158354585751622", "name": "Ada Lovelace", "picture": picture}
        return {name: known[name] for name in request.query.get("fields", "").split(",") if name in known}


class GitHub(Vendor):
    """Answers in a form unless asked for JSON, and a refused code with 200."""

    key = "github"
    token_auth = frozenset({"post"})

    def token(self, request: Request) -> Reply:
        answer = super().token(request)
        if request.headers.get("accept") == "application/json":
            return answer
        return Reply(answer.status, urlencode(json.loads(answer.body)).encode())

    def _refused(self) -> Reply:
        return as_json({"error": "bad_verification_code", "error_description": "Incorrect or expired."})

    def grant(self, grant: Mapping[str, str], access: str) -> dict[str, Any]:
        return {"access_token": access, "scope": "", "token_type": "bearer"}

    def profile(self, request: Request) -> Reply:
        return super().profile(request) if request.headers.get("user-agent") else as_html("", 403)

    def person(self, request: Request) -> dict[str, Any]:
        return {
            "login": "ada",
            "id": 583231,
            "avatar_url": PICTURE,
            "html_url": "https://github.com/ada",
            "name": None,
            "email": None,
        }


class Discord(Vendor):
    key = "discord"
    scopes = frozenset({"identify"})

    def person(self, request: Request) -> dict[str, Any]:
        return {
            "id": "80351110224678912",
            "username": "ada",
            "global_name": "Ada Lovelace",
            "avatar": "8342729",
        }


class WordPressLegacy(Vendor):
    """WordPress.com for applications made before it spoke OpenID Connect."""

    key = "wordpress_legacy"
    scopes = frozenset({"auth"})
    token_auth = frozenset({"post"})
    pkce = "allowed"

    def grant(self, grant: Mapping[str, str], access: str) -> dict[str, Any]:
        return {
            "access_token": access,
            "token_type": "bearer",
            "blog_id": "0",
            "blog_url": "",
            "scope": "auth",
        }

    def person(self, request: Request) -> dict[str, Any]:
        return {
            "ID": 78972699,
            "display_name": "Ada Lovelace",
            "username": "ada",
            "email": "ada@mail.example",
            "email_verified": True,
            "avatar_URL": PICTURE,
            "profile_URL": "https://gravatar.com/ada",
        }


class Mastodon(Vendor):
    """One instance; applications register themselves."""

    key = "mastodon"
    scopes = frozenset({"profile"})
    token_auth = frozenset({"post"})
    paths: ClassVar[Mapping[str, str]] = {
        "/api/v1/apps": "register",
        "/oauth/authorize": "authorize",
        "/oauth/token": "token",
        "/api/v1/accounts/verify_credentials": "profile",
    }

    def register(self, request: Request) -> Reply:
        self.client_id, self.client_secret = secrets.token_hex(16), secrets.token_hex(16)
        self.redirect_uri = request.form["redirect_uris"]
        results = {"id": "5", "name": request.form["client_name"], "redirect_uri": self.redirect_uri}
        return as_json({**results, "client_id": self.client_id, "client_secret": self.client_secret})

    def person(self, request: Request) -> dict[str, Any]:
        host = urlsplit(self.base).hostname
        return {
            "id": "14715",
            "username": "ada",
            "acct": "ada",
            "display_name": "Ada Lovelace",
            "url": f"https://{host}/@ada",
            "avatar": PICTURE,
            "avatar_static": PICTURE,
        }


KINDS: tuple[type[Vendor], ...] = (
    OpenId,
    OnlyBasic,
    OnlyPost,
    Google,
    GitLab,
    WordPress,
    WordPressLegacy,
    Microsoft,
    LinkedIn,
    Apple,
    X,
    Facebook,
    GitHub,
    Discord,
)


class Handler(BaseHTTPRequestHandler):
    """Finds the vendor by the first folder of the path."""

    protocol_version = "HTTP/1.1"
    vendors: ClassVar[dict[str, Vendor]]
    over: ClassVar[threading.Event]

    def vendor(self, path: str) -> tuple[Vendor | None, str]:
        name, slash, rest = path[1:].partition("/")
        return self.vendors.get(name), slash + rest

    def answer(self) -> None:
        path, _, query = self.path.partition("?")
        vendor, rest = self.vendor(path)
        length = int(self.headers.get("Content-Length") or 0)
        form = self.rfile.read(length).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, rest, dict(parse_qsl(query)), dict(parse_qsl(form)), headers)
        reply = vendor.handle(request) if vendor else as_html("Nobody lives here", 404)
        self.close_connection = True
        if callable(reply):
            return reply(self)
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)
        return None

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet where somebody hung up in the middle, as they should on the worst of our answers."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Vendors:
    """All of them, running."""

    by_key: Mapping[str, Vendor]

    def __getitem__(self, key: str) -> Any:
        return self.by_key[key]

    def reset(self) -> None:
        """Put every vendor in good spirits again."""
        for vendor in self.by_key.values():
            fresh = vars(type(vendor)(vendor.base))
            vars(vendor).clear()
            vars(vendor).update(fresh)


@contextmanager
def serving(server: Quiet, over: threading.Event) -> Iterator[None]:
    """Answer in a thread until the end."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running() -> Iterator[Vendors]:
    """Serve every vendor on a free port of this machine."""
    vendors: dict[str, Vendor] = {}
    over = threading.Event()
    handler = type("Handler", (Handler,), {"vendors": vendors, "over": over})
    server = Quiet(("127.0.0.1", 0), handler)
    for kind in KINDS:
        vendors[kind.key] = kind(f"http://127.0.0.1:{server.server_port}/{kind.key}")
    with serving(server, over):
        yield Vendors(vendors)


class Instances(Handler):
    """Finds the Mastodon instance by the name that was asked."""

    def vendor(self, path: str) -> tuple[Vendor | None, str]:
        return self.vendors.get(self.headers.get("Host", "")), path


@dataclass(frozen=True)
class Fediverse:
    """Mastodon instances, running, and the internet in which their names lead to them."""

    by_host: Mapping[str, Mastodon]
    network: http_client.Network

    def __getitem__(self, host: str) -> Mastodon:
        return self.by_host[host]

    def consent(self, url: str) -> dict[str, str]:
        """Be the browser that a login sends to `url`."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        answer = self.by_host[parts.hostname or ""].handle(Request("GET", parts.path, query, {}, {}))
        assert isinstance(answer, Reply)
        return read_back(answer.status, answer.headers.get("Location"), answer.body.decode())


@contextmanager
def fediverse(folder: Path, *hosts: str) -> Iterator[Fediverse]:
    """Serve an instance for each name, with certificates that are believed."""
    authority = Authority()
    contexts = {host: authority.server(host, folder) for host in hosts}
    instances = {host: Mastodon(f"https://{host}") for host in hosts}
    over = threading.Event()
    handler = type("Handler", (Instances,), {"vendors": instances, "over": over})
    server = Quiet(("127.0.0.1", 0), handler)
    tls = contexts[hosts[0]]

    def choose(sock: ssl.SSLObject, name: str, _context: ssl.SSLContext) -> None:
        sock.context = contexts[name]

    tls.sni_callback = choose
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)

    def connect(address: str, port: int, seconds: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", server.server_port), timeout=seconds)

    network = http_client.Network(
        resolve=lambda name: [PUBLIC] if name in instances else [], connect=connect, tls=authority.client
    )
    with serving(server, over):
        yield Fediverse(instances, network)


def consent(url: str) -> dict[str, str]:
    """Be the browser that a login sends to `url`; return what it brings back to the redirect URI."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        return read_back(answer.status, answer.getheader("Location"), answer.read().decode())
    finally:
        connection.close()


def read_back(status: int, location: str | None, body: str) -> dict[str, str]:
    """Read the provider's answer out of its redirect, or out of the form that it has the browser post."""
    if location:
        return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True))
    assert status == 200, body
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', body)
    assert inputs, body
    return {name: html.unescape(value) for name, value in inputs}


def late(seconds: float) -> Play:
    """Say nothing for a while, then hang up."""

    def play(handler: Handler) -> None:
        handler.over.wait(seconds)

    return play


def hang_up(handler: Handler) -> None:
    """Be gone."""


def endless(handler: Handler) -> None:
    """Begin a JSON object that has no end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b'{"name": "')
    while not handler.over.is_set():
        handler.wfile.write(b"a" * 65536)


def drip(handler: Handler) -> None:
    """Send a JSON object a byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b"{")
    while not handler.over.wait(0.02):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def edwards_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": "edwards"})
