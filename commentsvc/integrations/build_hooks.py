"""Requests that start a build of a website."""

from __future__ import annotations

from urllib.parse import quote

from commentsvc.integrations.outgoing_request import OutgoingRequest, json_request

GITHUB = "https://api.github.com"
EVENT_TYPE = "comments"
"""The event to which a workflow at GitHub listens."""


def request(url: str) -> OutgoingRequest:
    """Return the request to a secret URL of Netlify, Vercel or Cloudflare Pages."""
    return json_request(url, {})


def github_request(repository: str, token: str, *, origin: str = GITHUB) -> OutgoingRequest:
    """Return the request that starts the workflows of a repository such as `ada/blog`."""
    return json_request(
        f"{origin}/repos/{quote(repository)}/dispatches",
        {"event_type": EVENT_TYPE},
        token=token,
        Accept="application/vnd.github+json",
        X_GitHub_Api_Version="2022-11-28",
    )
