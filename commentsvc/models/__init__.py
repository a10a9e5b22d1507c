"""The tables, in the words of the design. Rules live in domain/; here is only what is stored."""

from commentsvc.models.columns import FieldRule, Kind, Order, Policy, Role, Status, TextFormat, now
from commentsvc.models.comments import Comment, Decision
from commentsvc.models.logins import LoginSession, Ticket
from commentsvc.models.people import Commenter, Identity, Membership, Picture, Registration
from commentsvc.models.sites import Origin, Site, Thread

__all__ = [
    "Comment",
    "Commenter",
    "Decision",
    "FieldRule",
    "Identity",
    "Kind",
    "LoginSession",
    "Membership",
    "Order",
    "Origin",
    "Picture",
    "Policy",
    "Registration",
    "Role",
    "Site",
    "Status",
    "TextFormat",
    "Thread",
    "Ticket",
    "now",
]
