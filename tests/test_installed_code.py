"""The fingerprint of the code: one for the same files, another for a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from commentsvc import installed_code


def test_it_changes_with_every_file_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed_code, "FOLDER", tmp_path)
    fingerprint = installed_code.fingerprint.__wrapped__
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a.py").write_text("1")
    seen = [fingerprint()]
    (tmp_path / "web" / "a.pyc").write_text("made of it")
    (tmp_path / "empty").mkdir()
    assert fingerprint() == seen[0]
    for name, text in (("web/a.py", "2"), ("web/b.html", ""), ("c.css", "x")):
        (tmp_path / name).write_text(text)
        seen.append(fingerprint())
    assert len(set(seen)) == 4
