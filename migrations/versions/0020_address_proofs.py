"""Guests who prove an e-mail address: the codes that are mailed, the proofs, and a mark on their comments.

The tables are new and the column has a default, so that the previous release works beside it.

Revision ID: 0020
Revises: 0017
Create Date: 2026-11-30 08:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "address_proof",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("author_key_hash", sa.String(length=64), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=True),
        sa.Column("proved_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_address_proof_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_proof")),
        sa.UniqueConstraint(
            "site_id",
            "email_hash",
            "author_key_hash",
            name=op.f("uq_address_proof_site_id_email_hash_author_key_hash"),
        ),
    )
    op.create_index(op.f("ix_address_proof_author_key_hash"), "address_proof", ["author_key_hash"])
    op.create_index("ix_address_proof_name", "address_proof", ["site_id", "name_hash"])
    op.create_index(op.f("ix_address_proof_used_at"), "address_proof", ["used_at"])
    op.create_table(
        "address_code",
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("author_key_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_address_code_site_id_site"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("email_hash", name=op.f("pk_address_code")),
    )
    op.create_index(op.f("ix_address_code_site_id"), "address_code", ["site_id"])
    op.create_index(op.f("ix_address_code_sent_at"), "address_code", ["sent_at"])
    op.add_column("comment", sa.Column("proved", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("comment", "proved")
    op.drop_table("address_code")
    op.drop_table("address_proof")
