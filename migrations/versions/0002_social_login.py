"""Social login: pictures, registrations, logins in progress, sessions of readers.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23 04:00:21.243209
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from commentsvc.db.session import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registration",
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("client_id", sa.String(length=300), nullable=False),
        sa.Column("client_secret", sa.String(length=300), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_registration")),
    )
    op.create_table(
        "picture",
        sa.Column(
            "commenter_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("fetched_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commenter_id"],
            ["commenter.id"],
            name=op.f("fk_picture_commenter_id_commenter"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("commenter_id", name=op.f("pk_picture")),
    )
    with op.batch_alter_table("commenter", schema=None) as batch_op:
        batch_op.add_column(sa.Column("show_picture", sa.Boolean(), server_default=sa.true(), nullable=False))

    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name", sa.String(length=80), nullable=True))

    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("site_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("browser", sa.String(length=80), nullable=True))
        batch_op.create_index(batch_op.f("ix_login_session_identity_id"), ["identity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_session_site_id"), ["site_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_login_session_identity_id_identity"),
            "identity",
            ["identity_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_login_session_site_id_site"), "site", ["site_id"], ["id"], ondelete="CASCADE"
        )

    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guests", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("sso_secret", sa.String(length=64), nullable=True))

    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("site_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "role",
                sa.Enum("owner", "moderator", name="role", native_enum=False, length=20),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("state_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("stash", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("failure", sa.String(length=300), nullable=True))
        batch_op.alter_column(
            "commenter_id", existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        )
        batch_op.create_unique_constraint(batch_op.f("uq_ticket_state_hash"), ["state_hash"])
        batch_op.create_foreign_key(
            batch_op.f("fk_ticket_site_id_site"), "site", ["site_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_ticket_identity_id_identity"),
            "identity",
            ["identity_id"],
            ["id"],
            ondelete="CASCADE",
        )


def downgrade() -> None:
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_ticket_identity_id_identity"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_ticket_site_id_site"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_ticket_state_hash"), type_="unique")
        batch_op.alter_column(
            "commenter_id", existing_type=sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        )
        batch_op.drop_column("failure")
        batch_op.drop_column("stash")
        batch_op.drop_column("state_hash")
        batch_op.drop_column("role")
        batch_op.drop_column("site_id")
        batch_op.drop_column("identity_id")

    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.drop_column("sso_secret")
        batch_op.drop_column("guests")

    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_login_session_site_id_site"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_login_session_identity_id_identity"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_login_session_site_id"))
        batch_op.drop_index(batch_op.f("ix_login_session_identity_id"))
        batch_op.drop_column("browser")
        batch_op.drop_column("site_id")
        batch_op.drop_column("identity_id")

    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.drop_column("name")

    with op.batch_alter_table("commenter", schema=None) as batch_op:
        batch_op.drop_column("show_picture")

    op.drop_table("picture")
    op.drop_table("registration")
