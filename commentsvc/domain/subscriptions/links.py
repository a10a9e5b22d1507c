"""The addresses in mails to subscribers; `web/subscriptions.py` has the pages."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "/mail"
"""The path of all pages that mails lead to."""


@dataclass(frozen=True, slots=True)
class MailLinks:
    """Addresses on the service at `base_url`. Tokens are in the path, because some mail programs cut the query."""

    base_url: str

    def confirm(self, token: str) -> str:
        """Return the page that confirms a subscription."""
        return f"{self.base_url}{PREFIX}/confirm/{token}"

    def stop(self, token: str) -> str:
        """Return the page that ends a subscription; a POST from a mail program ends it at once."""
        return f"{self.base_url}{PREFIX}/stop/{token}"

    def stop_site(self, token: str) -> str:
        """Return the page that ends all mail of a site."""
        return f"{self.base_url}{PREFIX}/stop-site/{token}"

    def all(self, token: str) -> str:
        """Return the list of everything that the address gets."""
        return f"{self.base_url}{PREFIX}/list/{token}"

    def held(self, delivery_id: int, token: str, action: str) -> str:
        """Return the page of one held comment for one moderator; `action` is the button that it shows first."""
        return f"{self.base_url}{PREFIX}/held/{delivery_id}/{token}/{action}"

    def queue(self, site_id: int) -> str:
        """Return a site's list of held comments."""
        return f"{self.base_url}/admin?site={site_id}"

    def endpoint(self, site_id: int, endpoint_id: int) -> str:
        """Return the page of a site's webhook or chat."""
        return f"{self.base_url}/admin/sites/{site_id}/endpoints/{endpoint_id}"

    def comment(self, comment_id: int) -> str:
        """Return a comment's permanent link."""
        return f"{self.base_url}/comment/{comment_id}"
