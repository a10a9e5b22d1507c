"""Sites: the websites that embed us, found by their registered origins."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import article_urls, fields
from commentsvc.domain.sites import known_sites
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError, UnknownOriginError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Membership, Origin, Role, Site

_FORM = gettext_noop("An origin looks like https://blog.example")
_WITH_STAR = gettext_noop(
    "An origin looks like https://blog.example. Origins with a * are entered under Previews"
)


def add(session: Session, name: str, origins: Sequence[str], *, owner_id: int) -> Site:
    """Add a site with the Commenter `owner_id` as owner; raises InvalidFieldsError on `name` or `origins`."""
    site = Site(name=fields.name(name, missing=gettext("Please enter the website's name")))
    if session.scalar(select(Site.id).where(Site.name == site.name)):
        raise name_taken(site.name)
    session.add(site)
    session.flush()
    set_origins(session, site, origins)
    session.add(Membership(commenter_id=owner_id, site_id=site.id, role=Role.OWNER))
    session.flush()
    return site


def name_taken(name: str) -> InvalidFieldsError:
    """Return the error for the name of another site."""
    return InvalidFieldsError(
        {"name": gettext("There is already a site named %(name)s.") % {"name": repr(name)}}
    )


def set_origins(session: Session, site: Site, origins: Sequence[str]) -> None:
    """Set the origins that may embed the site; raises InvalidFieldsError on `origins`."""
    wanted: list[str] = []
    for given in origins:
        try:
            origin = article_urls.origin_of(given.strip())
        except BadAddressError as error:
            raise InvalidFieldsError(
                {"origins": f"{error} {gettext(_WITH_STAR if '*' in given else _FORM)}"}
            ) from None
        if origin not in wanted:
            wanted.append(origin)
    if not wanted:
        raise InvalidFieldsError(
            {"origins": gettext("Please enter at least one origin, such as https://blog.example")}
        )
    taken = session.execute(
        select(Origin.origin, Site.name).join(Site).where(Origin.origin.in_(wanted), Site.id != site.id)
    ).first()
    if taken:
        raise InvalidFieldsError(
            {
                "origins": gettext("%(address)s already belongs to the site %(site)s.")
                % {"address": taken[0], "site": repr(taken[1])}
            }
        )
    present = {item.origin: item for item in site.origins}
    if wanted != list(present):
        site.origins = [present.get(origin) or Origin(origin=origin) for origin in wanted]


def by_name(session: Session, name: str) -> Site:
    """Return the site called `name`; raises NotFoundError, which lists the existing ones."""
    site = session.scalar(select(Site).where(Site.name == name))
    if site is None:
        names = ", ".join(repr(one) for one in session.scalars(select(Site.name).order_by(Site.name)))
        raise NotFoundError(
            f"There is no site named {name!r}. "
            + (f"There are: {names}." if names else "There are no sites yet.")
        )
    return site


def only(session: Session) -> Site:
    """Return the site if there is only one; raises NotFoundError, which lists them, if it must be named."""
    names = session.scalars(select(Site.name).order_by(Site.name)).all()
    if len(names) == 1:
        return by_name(session, names[0])
    if not names:
        raise NotFoundError("There are no sites yet. `commentsvc site add NAME ORIGIN` adds one.")
    raise NotFoundError(
        f"There are several sites: name one with --site. There are: {', '.join(map(repr, names))}."
    )


def only_name(session: Session) -> str | None:
    """Return the name of the only site; None if there are several, or none."""
    names = session.scalars(select(Site.name).limit(2)).all()
    return names[0] if len(names) == 1 else None


def by_origins(session: Session, origins: Collection[str]) -> dict[str, Site]:
    """Return the sites that registered any of `origins`, by origin, in one query."""
    query = select(Origin.origin, Site).join(Site).where(Origin.origin.in_(origins))
    return {row.origin: row.Site for row in session.execute(query)}


def by_origin(session: Session, origin: str) -> Site:
    """Return the site that registered `origin`, with all its origins; raises UnknownOriginError."""
    site = known_sites.with_origin(session, origin)
    if site is None:
        raise UnknownOriginError(origin)
    return site
