"""Where imported articles are now: a person's list of addresses, the hosts to take, the site's sitemap."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.transfer import article_map, sitemaps
from commentsvc.domain.transfer.article_map import ArticleMap
from commentsvc.domain.transfer.import_preview import ImportPreview
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Comment, Site, Thread
from tests.support import exports

DISQUS = exports.FOLDER / "disqus.xml"


def written(folder: Path, text: str) -> ArticleMap:
    path = folder / "map.csv"
    path.write_text(text)
    return ArticleMap.read(path)


def moved(addresses: ArticleMap, url: str) -> str:
    (article,) = addresses([ImportedThread(system="X", source="", url=url, comments=())])
    return article.url


@pytest.mark.parametrize(
    ("line", "url", "new"),
    [
        ("http://old.example/a/,/b/", "https://old.example/a", "/b/"),
        ("/a/,https://blog.example/b/", "http://old.example/a/", "https://blog.example/b/"),
        ("/?p=12,/b/", "http://old.example/?p=12", "/b/"),
        ("/blog/*,/news/*", "http://old.example/blog/2020/x/", "/news/2020/x/"),
        (
            "http://OLD.example/*,https://blog.example/*",
            "http://old.example/a/?x=1",
            "https://blog.example/a/?x=1",
        ),
        ("/blog/*,/archive/", "/blog/2020/x/", "/archive/"),
        ("/a/,/b/", "/other/", "/other/"),
        ("old,new\n/a/,/b/", "/a/", "/b/"),
        ("/blog/*,/x/*\n/blog/2020/*,/y/*", "/blog/2020/a", "/y/a"),
    ],
)
def test_an_address_is_found_by_url_path_and_prefix(tmp_path: Path, line: str, url: str, new: str) -> None:
    assert moved(written(tmp_path, line), url) == new


@pytest.mark.parametrize("text", ["/a/\n", "/a/,/b/,/c/\n", "/a/,b\n", "/a/,javascript:x\n"])
def test_a_wrong_line_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(TransferError, match="line 1"):
        written(tmp_path, text)


def test_articles_go_where_the_map_says_and_those_without_a_place_stay_away(
    session: Session, site: Site, tmp_path: Path
) -> None:
    addresses = written(tmp_path, "/first/,/moved/\nhttp://localhost:4000/*,\n")
    report = exports.import_records(session, site, addresses(exports.articles(DISQUS)))
    assert set(session.scalars(select(Thread.url))) == {"https://blog.example/moved/"}
    assert report.skipped[article_map.LEFT_OUT] == 1


def test_articles_of_other_hosts_can_stay_away(session: Session, site: Site) -> None:
    articles = article_map.only_hosts(exports.articles(DISQUS), ["Blog.example"])
    report = exports.import_records(session, site, articles)
    assert set(session.scalars(select(Thread.url))) == {"https://blog.example/first/"}
    assert report.skipped[article_map.OTHER_HOST] == 1


def test_a_preview_names_hosts_addresses_and_comments_as_they_will_look(session: Session, site: Site) -> None:
    preview = ImportPreview(site, sitemap={"https://blog.example/first"})
    exports.import_records(session, site, preview.watch(exports.articles(DISQUS)))
    lines = preview.lines()
    assert "  blog.example: 2 articles, 7 comments" in lines
    assert "  localhost:4000: 1 article, 1 comment, not of this site" in lines
    assert "  https://blog.example/second/ (in the file: http://localhost:4000/second/)" in lines
    assert preview.missing() == ["https://blog.example/second/"]
    assert "    First! Second line & x < y" in lines
    assert not any("pills" in line or "ecret" in line for line in lines)


def test_a_preview_changes_nothing(session: Session, site: Site) -> None:
    list(ImportPreview(site).watch(exports.articles(DISQUS)))
    assert session.scalars(select(Comment)).all() == []


NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
SITEMAP = f'<?xml version="1.0"?><urlset {NAMESPACE}><url><loc> {{}} </loc></url></urlset>'
INDEX = f"<sitemapindex {NAMESPACE}><sitemap><loc>{{}}</loc></sitemap></sitemapindex>"


def test_a_sitemap_may_be_an_index_of_compressed_ones_or_a_text(tmp_path: Path) -> None:
    part, index, text = (tmp_path / name for name in ("part.xml.gz", "index.xml", "list.txt"))
    part.write_bytes(gzip.compress(SITEMAP.format("https://blog.example/a/").encode()))
    index.write_text(INDEX.format(part))
    text.write_text("https://blog.example/b/\n/c/\n")
    assert sitemaps.addresses(str(index)) == {"https://blog.example/a/"}
    assert sitemaps.addresses(str(text)) == {"https://blog.example/b/", "/c/"}


@pytest.mark.parametrize("content", ["<html><body/></html>", "nothing", "<urlset"])
def test_what_is_no_sitemap_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sitemap.xml"
    path.write_text(content)
    with pytest.raises(TransferError):
        sitemaps.addresses(str(path))
