"""`commentsvc user`: who comments, and erasing one of them."""

from __future__ import annotations

from sqlalchemy import select

from commentsvc.cli import service
from commentsvc.models import Comment, Identity
from tests.support.cli_service import fail, succeed


class TestPeople:
    def test_who_comments(self, written: list[int]) -> None:
        lines = succeed("user", "list").splitlines()
        assert [line.split()[0] for line in lines] == ["email:ada@mail.example", "email:bob@mail.example"]
        assert succeed("user", "list", "bob").split()[0] == "email:bob@mail.example"
        assert "nobody like that" in succeed("user", "list", "carl")

    def test_erase_forgets_a_guest(self, written: list[int]) -> None:
        output = succeed("user", "erase", "email:ada@mail.example", typed="y\n")
        assert "Erase email:ada@mail.example with 2 comments for good? [y/N]" in output
        assert "Erased email:ada@mail.example: 2 comments." in output
        assert "0 comments" in succeed("user", "erase", "email:ada@mail.example", "--yes")
        assert "1 comment" not in succeed("user", "list", "ada")

    def test_a_name_means_the_same_guest_however_its_letters_are_written(self, written: list[int]) -> None:
        with service.writing(service.settings()) as session:
            session.get_one(Comment, written[0]).guest_name = "Zo\u00eb"
        assert "1 comment." in succeed("user", "erase", "name:Zoe\u0308", "--yes")

    def test_erase_forgets_an_account(self, written: list[int]) -> None:
        succeed("admin", "grant", "--site", "Blog", "--provider", "github", "--subject", "583231")
        with service.opened(service.settings()) as session:
            number = session.scalar(select(Identity.commenter_id).where(Identity.provider == "github"))
        assert f"Erased commenter:{number}" in succeed("user", "erase", f"commenter:{number}", "--yes")
        assert "no such account" in fail("user", "erase", f"commenter:{number}", "--yes")

    def test_erase_refuses(self, written: list[int]) -> None:
        assert "only owner of Blog" in fail("user", "erase", "commenter:1", "--yes")
        assert "on all sites" in fail("user", "erase", "commenter:1", "--site", "Blog", code=2)
        assert "email:ADDRESS" in fail("user", "erase", "ada@mail.example", "--yes", code=2)
        assert "Nothing was changed" in fail("user", "erase", "name:Ada", typed="n\n")
