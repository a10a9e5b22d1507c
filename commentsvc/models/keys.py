"""The key of the hashes that must last."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table

from commentsvc.db.session import NAMING

HASH_KEY = Table(
    "hash_key",
    MetaData(naming_convention=NAMING),
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True, autoincrement=False),
    Column("value", String(128), nullable=False),
)
"""One row, its value in hexadecimal digits.

It is no model, and stands apart from their metadata: what goes through all tables, to export or to list what is in
them, does not come upon a secret. A backup of the database has it.
"""
