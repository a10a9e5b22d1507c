"""The `init` command: settings, database, the first site and a sign-in link in one go."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.cli import questions, service
from commentsvc.cli.checks.reachability import LOOPBACK
from commentsvc.config import PREFIX, Settings
from commentsvc.domain import fields
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import separate_origins, sites
from commentsvc.errors import InvalidFieldsError, SettingsError
from commentsvc.integrations import settings_file
from commentsvc.models import Site, now

SECRET_KEY, BASE_URL, SMTP_URL, PROXIES = (
    f"{PREFIX}{name}" for name in ("SECRET_KEY", "BASE_URL", "SMTP_URL", "TRUSTED_PROXIES")
)
LOCAL = "http://127.0.0.1:8600"


@click.command()
@click.option(
    "--base-url", metavar="URL", help="The address browsers will see, such as https://comments.example."
)
@click.option("--site-name", metavar="NAME", help="The name of the website that shows the comments.")
@click.option(
    "--site-url",
    "site_urls",
    metavar="URL",
    multiple=True,
    help="Its address, such as https://blog.example; repeat it if there are several.",
)
@click.option(
    "--smtp-url", metavar="URL", help='A mail server, smtp://user:password@host:587, or "none" for no mail.'
)
def init(
    base_url: str | None, site_name: str | None, site_urls: tuple[str, ...], smtp_url: str | None
) -> None:
    """Create settings, a database and the first site.

    It prints how to go on. On a terminal it asks for what the options do not say; elsewhere it asks nothing, and says
    what is missing. It is safe to repeat: existing settings, sites and comments stay as they are.
    """
    asks = questions.is_terminal()
    file, present = settings_file.path(os.environ), settings_file.merged(os.environ)
    is_first = not present.get(SECRET_KEY, "").strip()
    _require_site(site_name, site_urls, base_url or present.get(BASE_URL, "").strip() or LOCAL)
    wanted = _wanted(present, {BASE_URL: base_url, SMTP_URL: smtp_url}, asks=asks, is_first=is_first)
    new = {name: value for name, value in wanted.items() if value and not present.get(name, "").strip()}
    settings = Settings.from_env(present | new)  # faults show before anything is written
    _require_same(present | new, wanted)
    if (
        asks and is_first and not site_name
    ):  # before anything is written, so that Ctrl+C leaves nothing behind
        site_name, site_urls = questions.site(settings.base_url)
    if new:
        settings_file.append(file, new)
        click.echo(f"Wrote {', '.join(new)} to {file}")
    if left := [name for name in (SECRET_KEY, BASE_URL, SMTP_URL) if name in present and name not in new]:
        click.echo(f"Left as they are: {', '.join(left)}")
    is_new = service.bring_up_to_date(settings)
    click.echo(
        f"The database is {'ready' if is_new else 'there'}: {service.without_password(settings.database_url)}"
    )
    with service.writing(settings) as session:
        added = _site(session, settings, site_name, site_urls, asks=asks)
        known = session.scalars(select(Site).order_by(Site.name)).all()
        link = accounts.issue_link(session, accounts.operator(session), at=now()) if added or asks else None
        separate_origins.require_separate(
            [one.origin for site in known for one in site.origins], settings.base_url
        )
    _show_sites(known, added)
    if known:
        service.show_snippet(settings)
    _show_next(settings, known, link)


def _wanted(
    present: Mapping[str, str], given: Mapping[str, str | None], *, asks: bool, is_first: bool
) -> dict[str, str]:
    """Return the settings that the options and answers give, with a new secret key where there is none."""
    wanted = {name: value for name, value in given.items() if value}
    if is_first:
        wanted[SECRET_KEY] = secrets.token_urlsafe(48)
    if BASE_URL not in wanted and not present.get(BASE_URL, "").strip():
        wanted[BASE_URL] = questions.base_url(LOCAL) if asks else LOCAL
    if SMTP_URL not in wanted and not present.get(SMTP_URL, "").strip() and is_first and asks:
        wanted[SMTP_URL] = questions.smtp_url()
    if wanted.get(SMTP_URL) == questions.NONE:
        del wanted[SMTP_URL]
    return dict(sorted(wanted.items(), key=lambda pair: (SECRET_KEY, BASE_URL, SMTP_URL).index(pair[0])))


def _require_same(present: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Raise SettingsError if an option contradicts a setting that is there already."""
    before, after = Settings.from_env(present), Settings.from_env({**present, **wanted})
    faults = []
    if before.base_url != after.base_url:
        faults.append(f"{BASE_URL} is already {before.base_url}; change it where it is set.")
    if before.smtp_url != after.smtp_url:
        faults.append(f"{SMTP_URL} is already set, to another value; change it where it is set.")
    if faults:
        raise SettingsError(faults)


def _require_site(name: str | None, urls: Sequence[str], base_url: str) -> None:
    """Raise a usage error if the options do not describe a site, before anything is written."""
    if bool(name) != bool(urls):
        raise click.UsageError("A site needs both --site-name and --site-url.")
    try:
        if name:
            fields.name(name)
        for url in urls:
            questions.origin(url, base_url)
    except (ValueError, InvalidFieldsError) as error:
        raise click.UsageError(str(error)) from None


def _site(
    session: Session, settings: Settings, name: str | None, urls: Sequence[str], *, asks: bool
) -> Site | None:
    """Add the site of the options or answers; return None if there is nothing to add."""
    if not name and asks and not session.scalar(select(Site.id).limit(1)):
        name, urls = questions.site(settings.base_url)
    if not name:
        return None
    origins = {questions.origin(url, settings.base_url) for url in urls}
    present = session.scalar(select(Site).where(Site.name == fields.name(name)))
    if present and {origin.origin for origin in present.origins} >= origins:
        return None
    return sites.add(session, name, urls, owner_id=accounts.operator(session).id)


def _show_sites(known: Sequence[Site], added: Site | None) -> None:
    for site in known:
        origins = ", ".join(origin.origin for origin in site.origins)
        if added and site.id == added.id:
            click.echo(f"Added the site {site.name!r} for {origins}")
        else:
            click.echo(f"There is the site {site.name!r} for {origins}")


def _bind(settings: Settings) -> str:
    """Return the option with which the service listens at a base URL of this machine; empty behind a proxy."""
    authority = settings.base_url.removeprefix("http://")
    if settings.secure or settings.base_url == LOCAL or urlsplit(settings.base_url).hostname not in LOOPBACK:
        return ""
    return f" --bind {authority}" if urlsplit(settings.base_url).port else f" --bind {authority}:80"


def _show_next(settings: Settings, known: Sequence[Site], link: str | None) -> None:
    file = settings_file.path(os.environ)
    steps = []
    if not known:
        steps.append(
            'Add the site that shows the comments:  commentsvc site add "My blog" https://blog.example'
        )
    if settings.secure and not settings.trusted_proxies:
        steps.append(
            f"Set {PROXIES} in {file}\n     to the address of the proxy in front, such as 127.0.0.1, "
            "or all readers count as one network"
        )
    steps.append(f"Start the service:    commentsvc serve{_bind(settings)}")
    steps.append(f"Open its page:        {settings.base_url}/")
    if link:
        steps.append(f"Sign in, once and within 30 minutes:\n     {settings.base_url}/admin/sign-in/{link}")
    else:
        steps.append("Get a link that signs you in:  commentsvc admin link")
    steps.append("Check everything:     commentsvc doctor")
    click.echo("\nNext:")
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
    if not settings.secure:
        click.echo(
            f"\nReaders need https: put a reverse proxy in front (docs/serving.md) and set {BASE_URL}."
        )
