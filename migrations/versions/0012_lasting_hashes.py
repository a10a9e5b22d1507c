"""A separate key for permanent hashes, tokens that end with the secret key, and months of network bans.

Existing hashes were made with the secret key, so it becomes the key of permanent hashes; a database without hashes gets
a random key. Sessions and links stay valid, because their stored hashes are hashed again. A ban of a comment's network
gets the month of its hash. Banned addresses in a form that never matches are rewritten in the form that is compared.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-29 18:20:00
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import unicodedata
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from flask import current_app

from commentsvc.db.session import UTCDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BLOCK = 64
"""Bytes of an HMAC's key; a longer one counts as its hash."""
_LONGEST = 300
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_KEY = sa.table("hash_key", sa.column("id"), sa.column("value"))
_BAN = sa.table(
    "ban",
    *(sa.column(name) for name in ("id", "site_id", "kind", "value", "month")),
    sa.column("until", UTCDateTime()),
    sa.column("created_at", UTCDateTime()),
)
_COMMENT = sa.table(
    "comment",
    *(sa.column(name) for name in ("site_id", "author_key_hash", "network_hash")),
    sa.column("created_at", UTCDateTime()),
)
_REPORT = sa.table("report", sa.column("id"))
_HASHED = {"login_session": ("token_hash",), "ticket": ("token_hash", "state_hash")}


def upgrade() -> None:
    op.create_table(
        "hash_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.String(length=128), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_hash_key_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hash_key")),
    )
    op.add_column("ban", sa.Column("month", sa.String(length=7), nullable=True))
    connection, secret = op.get_bind(), str(current_app.config["SECRET_KEY"])
    key = _as_hmac_key(secret) if _has_hashes(connection) else secrets.token_bytes(32)
    connection.execute(sa.insert(_KEY).values(id=1, value=key.hex()))
    _hash_tokens_again(connection, secret)
    _remember_months(connection)
    _write_as_compared(connection)


def downgrade() -> None:
    connection = op.get_bind()
    for name in _HASHED:  # no token opens them for the release before
        connection.execute(sa.delete(sa.table(name)))
    op.drop_column("ban", "month")
    op.drop_table("hash_key")


def _has_hashes(connection: sa.Connection) -> bool:
    hashed = sa.or_(_COMMENT.c.network_hash.is_not(None), _COMMENT.c.author_key_hash.is_not(None))
    banned = sa.and_(_BAN.c.kind.in_(["author", "network"]))
    queries = (sa.exists().where(hashed), sa.exists().where(banned), sa.exists(sa.select(_REPORT.c.id)))
    return any(connection.scalar(sa.select(query)) for query in queries)


def _as_hmac_key(secret: str) -> bytes:
    key = secret.encode()
    return key if len(key) <= _BLOCK else hashlib.sha256(key).digest()


def _hash_tokens_again(connection: sa.Connection, secret: str) -> None:
    for table, names in _HASHED.items():
        rows = sa.table(table, sa.column("id"), *map(sa.column, names))
        changed = [
            {"row": row.id, **{name: _hash(secret, getattr(row, name)) for name in names}}
            for row in connection.execute(sa.select(rows)).all()
        ]
        if changed:
            values = {name: sa.bindparam(name) for name in names}
            connection.execute(
                sa.update(rows).where(rows.c.id == sa.bindparam("row")).values(values), changed
            )


def _hash(secret: str, stored: str | None) -> str | None:
    if stored is None:
        return None
    return hmac.digest(secret.encode(), f"token\0{stored}".encode(), "sha256").hex()


def _remember_months(connection: sa.Connection) -> None:
    """Find the month of each banned hash by a comment that has it; one that is gone was banned soon, as a rule."""
    for row in connection.execute(sa.select(_BAN).where(_BAN.c.kind == "network")).all():
        if "." in row.value or ":" in row.value:
            continue
        same = (_COMMENT.c.site_id == row.site_id, _COMMENT.c.network_hash == row.value)
        at: datetime = (
            connection.scalar(sa.select(sa.func.min(_COMMENT.c.created_at)).where(*same)) or row.created_at
        )
        month = f"{at.astimezone(UTC):%Y-%m}"
        connection.execute(sa.update(_BAN).where(_BAN.c.id == row.id).values(month=month))


def _write_as_compared(connection: sa.Connection) -> None:
    rows = connection.execute(sa.select(_BAN).where(_BAN.c.kind.in_(["network", "email"]))).all()
    taken = {(row.site_id, row.kind, row.value): row for row in rows}
    for row in rows:
        value = _network(row.value) if row.kind == "network" else _email(row.value)
        if value == row.value or len(value) > _LONGEST:
            continue
        other = taken.setdefault((row.site_id, row.kind, value), row)
        if other is row:
            connection.execute(sa.update(_BAN).where(_BAN.c.id == row.id).values(value=value))
        else:
            _join(connection, other, row)


def _join(connection: sa.Connection, kept: Any, gone: Any) -> None:
    """Keep only one of two bans with the same value, until the later end."""
    until = max(kept.until, gone.until) if kept.until and gone.until else None
    connection.execute(sa.delete(_BAN).where(_BAN.c.id == gone.id))
    connection.execute(sa.update(_BAN).where(_BAN.c.id == kept.id).values(until=until))


def _network(value: str) -> str:
    address, slash, size = value.partition("/")
    try:
        found = ipaddress.ip_network(address.partition("%")[0] + slash + size, strict=False)
    except ValueError:
        return value
    if not isinstance(found, ipaddress.IPv6Network) or not found.subnet_of(_MAPPED):
        return value if address == address.partition("%")[0] else str(found)
    inside = int(found.network_address) & 0xFFFFFFFF
    return str(ipaddress.IPv4Network((inside, found.prefixlen - _MAPPED.prefixlen)))


def _email(value: str) -> str:
    local, at, host = unicodedata.normalize("NFKC", value).rpartition("@")
    return f"{local.casefold()}{at}{'.'.join(map(_label_in_ascii, host.lower().split('.')))}"


def _label_in_ascii(label: str) -> str:
    return label if label.isascii() or len(label) > 63 else f"xn--{label.encode('punycode').decode()}"
