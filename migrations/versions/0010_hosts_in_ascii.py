"""Banned domains in ASCII (IDNA), the form in which hosts are compared.

If a domain was banned in both spellings, one row stays unchanged and has no effect any more.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-23 22:31:00
"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_LONGEST = 300
_BAN = sa.table("ban", sa.column("id"), sa.column("site_id"), sa.column("kind"), sa.column("value"))


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(_BAN).where(_BAN.c.kind == "domain")).all()
    taken = {(row.site_id, row.value) for row in rows}
    for row in rows:
        value = _in_ascii(row.value)
        if (row.site_id, value) not in taken and len(value) <= _LONGEST:
            taken.add((row.site_id, value))
            connection.execute(sa.update(_BAN).where(_BAN.c.id == row.id).values(value=value))


def downgrade() -> None:
    """The release before finds them too, in links that are written so."""


def _in_ascii(host: str) -> str:
    labels = unicodedata.normalize("NFKC", host).lower().split(".")
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels
    )
