"""What an article's own HTML says about posts of itself elsewhere."""

from __future__ import annotations

from commentsvc.integrations import article_links


def test_links_of_the_article_count_and_those_of_its_quotes_do_not() -> None:
    links = article_links.links_in("""<!-- <link rel=syndication href=https://no.example/@a/1> -->
<link href='https://social.example/@anna/1' rel="me syndication">
<a class="x u-syndication" href="https://social.example/@anna/2?a=1&amp;b=2">Mastodon</a>
<div class="u-comment h-cite"><div><a class=u-syndication href=https://no.example/@a/2>x</a></div>
<a rel=syndication href=https://no.example/@a/3>x</a><div id=comments data-mastodon=https://no.example/@a/4></div></div>
<script>"<a rel=syndication href=https://no.example/@a/5>"</script>
<p data-mastodon="https://no.example/@a/6"></p><a rel=nofollow href=https://no.example/@a/7></a>
<comment-thread data-mastodon=" https://social.example/@anna/3 "></comment-thread>
<a rel=syndication href=https://social.example/@anna/4>""")
    numbers = ("1", "2?a=1&b=2", "4")
    assert links.syndication == [f"https://social.example/@anna/{number}" for number in numbers]
    assert links.attributes == {"mastodon": "https://social.example/@anna/3"}
