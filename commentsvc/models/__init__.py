"""The tables. They say only what is stored; the rules are in domain/."""

from commentsvc.models.address_proofs import AddressCode, AddressProof
from commentsvc.models.announcements import Announcement, FeedItem, FeedState
from commentsvc.models.answer_feeds import AnswerFeed
from commentsvc.models.api_tokens import ApiAnswer, ApiToken, ApiTokenSite, TokenScope
from commentsvc.models.columns import (
    EditWindow,
    FieldRule,
    FoundBy,
    Kind,
    Likes,
    MentionKind,
    MentionState,
    Order,
    Policy,
    Role,
    SocialOrigin,
    Status,
    TextFormat,
    TitleSource,
    now,
)
from commentsvc.models.comments import AUTHOR_COLUMNS, Comment, Decision, DeletedImport
from commentsvc.models.deliveries import Delivery, DeliveryKind, DeliveryState, DeliveryTry, Notice
from commentsvc.models.endpoints import BUILDS, CHATS, Endpoint, EndpointKind, Event, OffReason
from commentsvc.models.import_jobs import ImportJob, ImportState
from commentsvc.models.ledger import LedgerEntry, LedgerKind
from commentsvc.models.logins import LoginSession, Ticket
from commentsvc.models.moderation import Action, Ban, BanKind, FilterWord, Note, Pressure, Report, Usual
from commentsvc.models.people import Commenter, Identity, Membership, Picture, Registration
from commentsvc.models.provider_notices import NoticeKind, NoticeOutcome, ProviderNotice
from commentsvc.models.revisions import PendingEdit, Revision
from commentsvc.models.searched import search_text
from commentsvc.models.service_moves import MoveState, ServiceMove
from commentsvc.models.sites import Origin, PreviewOrigin, Site, Thread, ThreadAlias
from commentsvc.models.social import ArticleLook, ForeignPicture, SocialLink, Webmention
from commentsvc.models.subscriptions import (
    ConfirmationCount,
    EndReason,
    Frequency,
    Subscription,
    SubscriptionKind,
    Suppression,
    SuppressionReason,
)
from commentsvc.models.votes import Vote
from commentsvc.models.work_rounds import WorkRound

__all__ = [
    "AUTHOR_COLUMNS",
    "BUILDS",
    "CHATS",
    "Action",
    "AddressCode",
    "AddressProof",
    "Announcement",
    "AnswerFeed",
    "ApiAnswer",
    "ApiToken",
    "ApiTokenSite",
    "ArticleLook",
    "Ban",
    "BanKind",
    "Comment",
    "Commenter",
    "ConfirmationCount",
    "Decision",
    "DeletedImport",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "DeliveryTry",
    "EditWindow",
    "EndReason",
    "Endpoint",
    "EndpointKind",
    "Event",
    "FeedItem",
    "FeedState",
    "FieldRule",
    "FilterWord",
    "ForeignPicture",
    "FoundBy",
    "Frequency",
    "Identity",
    "ImportJob",
    "ImportState",
    "Kind",
    "LedgerEntry",
    "LedgerKind",
    "Likes",
    "LoginSession",
    "Membership",
    "MentionKind",
    "MentionState",
    "MoveState",
    "Note",
    "Notice",
    "NoticeKind",
    "NoticeOutcome",
    "OffReason",
    "Order",
    "Origin",
    "PendingEdit",
    "Picture",
    "Policy",
    "Pressure",
    "PreviewOrigin",
    "ProviderNotice",
    "Registration",
    "Report",
    "Revision",
    "Role",
    "ServiceMove",
    "Site",
    "SocialLink",
    "SocialOrigin",
    "Status",
    "Subscription",
    "SubscriptionKind",
    "Suppression",
    "SuppressionReason",
    "TextFormat",
    "Thread",
    "ThreadAlias",
    "Ticket",
    "TitleSource",
    "TokenScope",
    "Usual",
    "Vote",
    "Webmention",
    "WorkRound",
    "now",
    "search_text",
]
