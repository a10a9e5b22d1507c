"""The part of the background work that asks other servers for answers to articles."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from commentsvc.cli.background_thread import BackgroundThread
from commentsvc.config import Settings
from commentsvc.domain.social import switches
from commentsvc.models import now

Step = Callable[[Session], object]


class SocialWork:
    """Rounds in a thread of their own, so that mail never waits for strangers' servers."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        run: Callable[[Engine, Step], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._settings, self._stopped = settings, stopped
        self._thread = BackgroundThread("answers from elsewhere", lambda: run(engine, self.work))

    def begin(self, session: Session) -> None:
        """Begin a round, unless the last one is still running or no site takes answers from elsewhere."""
        if switches.is_any_on(session):
            self._thread.begin()

    def work(self, session: Session) -> None:
        """Look at articles for their posts, ask for the answers that are due, and verify webmentions. Commits."""
        if not switches.is_any_on(session):
            return
        # Here, because few services have answers from elsewhere.
        from commentsvc.cli import social_networks
        from commentsvc.domain.social import article_looks, foreign_pictures, links, webmentions

        settings, stopped = self._settings, self._stopped
        known, hosts = social_networks.known(settings), social_networks.own_hosts(settings)
        read = social_networks.link_reader(settings)
        article_looks.run_due(session, known, read, at=now(), stopped=stopped)
        links.run_due(session, known, at=now(), own_hosts=hosts, stopped=stopped)
        source = social_networks.source_reader(settings)
        webmentions.run_due(session, source, at=now(), own_hosts=hosts, stopped=stopped)
        picture = social_networks.picture_reader(settings)
        foreign_pictures.fetch_wanted(session, picture, at=now(), stopped=stopped)
