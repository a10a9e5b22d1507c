"""Query parameters that do not distinguish articles: the built-in list, and a site's own additions to it.

The list has only names by which no system identifies articles. `p`, `page_id`, `id`, `lang`, `page`, `q`, `s`, `v` and
the like identify articles in some system, so they are not ignored; nor is `from`, except with a messenger's value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

NAME_LONGEST = 60
MOST = 100
"""Entries in a site's own list."""


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """Parameters with a common origin. A name that ends in `*` stands for all names with that beginning."""

    why: str
    names: str
    """In lower case, separated by spaces; the case of a parameter does not matter."""
    values: str = ""
    """If set, only values that match this pattern are ignored; case does not matter."""


KINDS = (
    ParameterKind(
        "Campaign names, added to links by web analytics: Google, Matomo, AT Internet, Adobe and others.",
        "utm_* pk_* piwik_* mtm_* matomo_* hsa_* at_* itm_* wt_mc wt_zmc wt.* xtor xtref s_cid s_kwcid ef_id icid "
        "intcid cmpid ncid ocid ns_source ns_mchannel ns_campaign ns_linkname ns_fee gad gad_* _ga _gl _gac gs_lcp ved "
        "adgroupid guccounter guce_* soc_src soc_trk tsrc stm_*",
    ),
    ParameterKind(
        "Click ids, added to links by advertisers and social networks.",
        "fbclid gclid gclsrc dclid msclkid msclid twclid ttclid yclid ysclid wbraid gbraid wbraclid gbraclid srsltid "
        "igshid igsh li_fat_id epik sccid rdt_cid qclid ndclid vmcid obclid dicbo tblci irclickid irgwc cjevent awc "
        "rb_clickid click_id clickid wickedid _openstat _branch_* mibextid sfnsn hc_ref hc_location __tn__ __xts__* "
        "fb_action_ids fb_action_types fb_source fb_ref fbadid lipi trkinfo trkcampaign trackingid rcm "
        "__twitter_impression twsrc twterm twcamp twgr xhsshare",
    ),
    ParameterKind(
        "The recipient of a newsletter: Mailchimp, HubSpot, Marketo, Klaviyo, Drip, Kit, MailerLite and others.",
        "mc_cid mc_eid mc_tc _hsenc _hsmi __hstc __hssc __hsfp hsctatracking mkt_tok _kx _ke vero_id vero_conv "
        "oly_anon_id oly_enc_id __s dm_i ml_subscriber ml_subscriber_hash ck_subscriber_id elqtrack elqtrackid elqat "
        "elqaid elq_* spmailingid spuserid spjobid spreportid sfmc_* bsft_* et_rid et_cid nb_klid ss_source "
        "ss_campaign_id ss_campaign_name ss_email_id trk_contact trk_msg trk_module trk_sid attribution_id "
        "attribution_type isfreemail triedredirect",
    ),
    ParameterKind(
        "Where a reader comes from, added by Ghost, Product Hunt, Hacker News readers and many others.",
        "ref ref_src ref_url ref_source refsrc referrer referer",
    ),
    ParameterKind(
        "WeChat's parameters of a shared link.",
        "isappinstalled nsukey weixin_share wechat_share clicktime enterid pass_ticket "
        "wx_header exportkey subscene ascene",
    ),
    ParameterKind(
        "WeChat's `from`, with WeChat's values.",
        "from",
        values="timeline|singlemessage|groupmessage|message|qrcode|appmessage|weixin|wechat",
    ),
    ParameterKind("The place in WeChat where a link was tapped, as a number.", "scene", values=r"\d{1,4}"),
    ParameterKind(
        "Parameters of a shared link from Alibaba, Bilibili, Xiaohongshu and the like.",
        "spm spm_id_from vd_source share_source share_medium share_plat share_tag share_session_id share_token "
        "share_from share_times unique_k bbid",
    ),
    ParameterKind(
        "AMP, Google's light form of the same article, and its caches.",
        "usqp amp_* __amp_source_origin aoh",
    ),
    ParameterKind("Switches for AMP.", "amp noamp nonamp", values="|1|true|yes|mobile|desktop|available"),
    ParameterKind("AMP by WordPress.com VIP, Chartbeat and others.", "outputtype", values="amp"),
    ParameterKind(
        "Parts of an article's comments in WordPress and Blogger.",
        "replytocom unapproved moderation-hash showcomment commentpage like_comment",
    ),
    ParameterKind("A page of an article's comments in WordPress.", "cpage", values=r"\d+"),
    ParameterKind(
        "Jetpack's share buttons.",
        "share",
        values="twitter|x|facebook|linkedin|reddit|tumblr|pinterest|pocket|telegram|jetpack-whatsapp|whatsapp|email"
        "|print|mastodon|bluesky|threads|nextdoor|skype",
    ),
    ParameterKind(
        "Session ids without cookies: PHP, Java, ColdFusion.",
        "phpsessid jsessionid cfid cftoken",
    ),
    ParameterKind("Google Translate, on translated pages.", "_x_tr_*"),
    ParameterKind(
        "Checks and caches in front of a site: Cloudflare, WP-Cron, Wordfence, caching plugins.",
        "__cf_* cf_chl_* doing_wp_cron wordfence_lh wordfence_loghuman nowprocket swcfpc cn-reloaded fbrefresh "
        "preview_id preview_nonce _thumbnail_id",
    ),
    ParameterKind(
        "Our own: it opens the panel that explains why a page shows no comments.", "commentsvc-doctor"
    ),
    ParameterKind("A number that scripts add to bypass caches.", "_", values=r"\d{9,}"),
)


@dataclass(frozen=True)
class IgnoredParameters:
    """A list in a form for quick lookups."""

    names: frozenset[str]
    prefixes: tuple[str, ...]
    valued: dict[str, re.Pattern[str]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    kept_prefixes: tuple[str, ...] = ()

    def ignore(self, name: str, value: str) -> bool:
        """Whether a parameter is on the list; `name` is in lower case."""
        if name in self.names or name.startswith(self.prefixes):
            return True
        pattern = self.valued.get(name)
        return pattern is not None and pattern.fullmatch(value) is not None

    def keep(self, name: str) -> bool:
        """Whether the site's list exempts this parameter from being ignored."""
        return name in self.kept or name.startswith(self.kept_prefixes)


def _split(names: list[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    prefixes = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    return frozenset(name for name in names if not name.endswith("*")), prefixes


_EVERYWHERE = IgnoredParameters(
    *_split([name for kind in KINDS if not kind.values for name in kind.names.split()]),
    {
        name: re.compile(kind.values, re.IGNORECASE)
        for kind in KINDS
        if kind.values
        for name in kind.names.split()
    },
)


@lru_cache(64)
def _own(listed: str) -> IgnoredParameters:
    entries = listed.split()
    names, prefixes = _split([one for one in entries if not one.startswith("!")])
    kept, kept_prefixes = _split([one.removeprefix("!") for one in entries if one.startswith("!")])
    return IgnoredParameters(names, prefixes, kept=kept, kept_prefixes=kept_prefixes)


def is_ignored(name: str, value: str, listed: str = "") -> bool:
    """Whether a parameter does not distinguish articles; `listed` is the site's own list."""
    name = name.lower()
    if listed:
        own = _own(listed)
        if own.keep(name):
            return False
        if own.ignore(name, value):
            return True
    return _EVERYWHERE.ignore(name, value)


def keeps_any(listed: str) -> bool:
    """Whether a site's list exempts any parameter from being ignored."""
    return "!" in listed


def checked(typed: str) -> str:
    """Return a site's own list in stored form, one entry per line; raises ValueError, whose text is for the owner."""
    entries = list(dict.fromkeys(typed.replace(",", " ").lower().split()))
    for entry in entries:
        bare = entry.removeprefix("!")
        name = bare.removesuffix("*")
        if not name:
            raise ValueError(f"“{entry}” would stand for every parameter; please write a name before the *.")
        if len(name) > NAME_LONGEST:
            raise ValueError(f"A name has at most {NAME_LONGEST} characters.")
        if not name.isprintable() or set(name) & set("*!?&=#%/+;"):
            raise ValueError(
                f"“{entry}” is not the name of a parameter. Please write only the name, such as partner or ad_*."
            )
    if len(entries) > MOST:
        raise ValueError(f"At most {MOST} names, please; ad_* stands for all names that begin with ad_.")
    return "\n".join(entries)
