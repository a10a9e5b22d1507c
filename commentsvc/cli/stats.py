"""The `stats` command: the figures of the admin view's statistics page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select

from commentsvc.cli import options, output, service
from commentsvc.domain.admin import statistics
from commentsvc.domain.admin.statistics import Share, SiteStatistics
from commentsvc.domain.sites import sites
from commentsvc.models import Site, Status, now


@click.command()
@options.site_option("Only this site.")
@options.json_option
def stats(site_name: str | None, as_json: bool) -> None:
    """Show what happened on each site in the last 30 days.

    How many comments came, how long they waited, which articles were busy, and what stopped spam.
    """
    with service.opened(service.settings()) as session:
        chosen = (
            [sites.by_name(session, site_name)]
            if site_name
            else session.scalars(select(Site).order_by(Site.name)).all()
        )
        figures = {site.name: statistics.site_statistics(session, site.id, at=now()) for site in chosen}
    if as_json:
        output.print_json([_item(name, one) for name, one in figures.items()])
        return
    if not figures:
        click.echo("There is no site yet. `commentsvc site add NAME ORIGIN` adds one.")
    for number, (name, one) in enumerate(figures.items()):
        if number:
            click.echo()
        _show(name, one)


def _show(name: str, figures: SiteStatistics) -> None:
    click.secho(f"{output.plain(name)}, the last {statistics.DAYS} days", bold=True)
    numbers = ", ".join(f"{figures.totals[status]:,} {_WORDS[status]}" for status in Status)
    wait = "nobody had to wait" if figures.usual_wait is None else _duration(figures.usual_wait)
    click.echo(f"  Comments           {figures.total:,}: {numbers}")
    click.echo(f"  Wait for approval  {wait}")
    _show_shares("Busy articles", figures.articles)
    _show_shares("Spam stopped by", figures.rules)


def _show_shares(heading: str, shares: list[Share]) -> None:
    if shares:
        click.echo(f"  {heading}")
        for share in shares:
            click.echo(f"    {share.count:>6,}  {output.cut(share.label, 12)}")


_WORDS = {
    Status.APPROVED: "approved",
    Status.HELD: "held",
    Status.SPAM: "spam",
    Status.TRASH: "in the trash",
}


def _duration(wait: timedelta) -> str:
    minutes = round(wait.total_seconds() / 60)
    if minutes < 90:
        return f"usually {output.counted(minutes, 'minute')}"
    hours = round(minutes / 60)
    return (
        f"usually {output.counted(hours, 'hour') if hours < 48 else output.counted(round(hours / 24), 'day')}"
    )


def _item(name: str, figures: SiteStatistics) -> dict[str, Any]:
    return {
        "site": name,
        "days": [{"date": day.date, **day.counts} for day in figures.days],
        "totals": figures.totals,
        "usual_wait_seconds": figures.usual_wait and round(figures.usual_wait.total_seconds()),
        "waits": [_share(share) for share in figures.waits],
        "articles": [_share(share) for share in figures.articles],
        "spam_stopped_by": [_share(share) for share in figures.rules],
    }


def _share(share: Share) -> dict[str, Any]:
    return {name: value for name, value in asdict(share).items() if name != "thread_id"}
