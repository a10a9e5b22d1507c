"""The key of hashes that must stay valid when the secret key changes."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table

from commentsvc.db.session import NAMING

HASH_KEY = Table(
    "hash_key",
    MetaData(naming_convention=NAMING),
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True, autoincrement=False),
    Column("value", String(128), nullable=False),
)
"""One row; its value is in hexadecimal digits.

It is not a model and has metadata of its own, so that code that walks all tables, such as an export, does not meet a
secret. A backup of the database includes it.
"""
