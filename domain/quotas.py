"""How often something may be done within a time, by whom it concerns: tries, codes, requests, deposits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Quota:
    """So many times within a sliding window, for each subject."""

    name: str
    times: int
    window: timedelta
    counts_money: bool = False
    """Held also when the counters are gone: then by counting what PostgreSQL knows. Others are open meanwhile."""
    counts_everything: bool = False
    """Counted with every request, so that counting must cost little: a process may take a few ahead of need."""


class Taken(NamedTuple):
    """Whether it may be done now, and what is left."""

    allowed: bool
    quota: Quota
    """As it holds here: settings may have changed its numbers."""
    remaining: int
    retry_after_s: int
    """Whole seconds, 0 while allowed."""


class Quotas(Protocol):
    """Counts, shared by all processes."""

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        """Count one more for a subject, for example an address and an account; nothing is counted when refused."""
        ...

    async def left(self, quota: Quota, *subject: str) -> Taken:
        """What is left, counting nothing."""
        ...

    async def forget(self, quota: Quota, *subject: str) -> None:
        """Begin anew for a subject."""
        ...


_QUARTER, _HOUR, _MINUTE = timedelta(minutes=15), timedelta(hours=1), timedelta(minutes=1)

SIGN_IN = Quota("sign_in", 5, _QUARTER)
"""By address and account."""
SIGN_IN_OF_ACCOUNT = Quota("sign_in_of_account", 20, _HOUR)
SIGN_IN_OF_ADDRESS = Quota("sign_in_of_address", 50, _HOUR)
CODE_REQUEST = Quota("code_request", 3, timedelta(minutes=5))
"""Mails with a link or code, by address and account."""
CODE_REQUEST_OF_ACCOUNT = Quota("code_request_of_account", 60, _HOUR)
"""More than one address may ask for: nobody alone keeps an account from its mails."""
CODE_REQUEST_OF_ADDRESS = Quota("code_request_of_address", 20, _HOUR)
SECOND_FACTOR = Quota("second_factor", 10, _QUARTER)
"""Codes tried, by session."""
EXPORT = Quota("export", 3, timedelta(days=7))
"""Copies of everything that is a person's, by person."""
PLATFORM_CODE = Quota("platform_code", 5, timedelta(days=1))
"""Codes that prove an account on another platform, by person."""
OVERLAY_TEST = Quota("overlay_test", 30, _MINUTE)
"""What somebody sends to their overlays to look at, by person."""
PLATFORM_JOURNEY = Quota("platform_journey", 20, timedelta(days=1))
"""Journeys to other platforms to link an account there, by person."""
BRAND = Quota("brand", 5, timedelta(days=1))
"""Brands that somebody makes, by person."""
INVITATION = Quota("invitation", 30, timedelta(days=1))
"""Invitations to act for brands, also the same ones again, by who sends them."""
INVITATION_TO_ADDRESS = Quota("invitation_to_address", 5, timedelta(days=1))
"""The same by the address that they go to, whoever sends them."""
UPLOAD = Quota("upload", 100, timedelta(days=1))
"""Files that somebody begins to send, by person."""
UPLOADED_MEBIBYTES = Quota("uploaded_mebibytes", 2_000, timedelta(days=1))
"""How long they are together, each counted in whole mebibytes, by person."""
UPLOAD_FINISHED = Quota("upload_finished", 60, _HOUR)
"""Files that came and are looked into, by person: a picture takes a while."""
CAMPAIGN = Quota("campaign", 50, timedelta(days=1))
"""Campaigns that are planned, by brand."""
PARTICIPATION = Quota("participation", 100, timedelta(days=1))
"""Applications and invitations to campaigns, by who begins them."""
DISPUTE = Quota("dispute", 20, timedelta(days=1))
"""Disputes that somebody opens, by person."""
MESSAGE = Quota("message", 120, _HOUR)
"""What somebody writes to the other sides of participations, by person."""
MESSAGE_REPORT = Quota("message_report", 20, timedelta(days=1))
"""Messages that somebody reports, by person."""
IMPRESSION_REPORT = Quota("impression_report", 600, _MINUTE, counts_everything=True)
"""Reports of what was visible, by overlay."""
DEPOSIT = Quota("deposit", 5, _HOUR, counts_money=True)
WITHDRAWAL = Quota("withdrawal", 3, _HOUR, counts_money=True)
REQUESTS_OF_ADDRESS = Quota("requests_of_address", 100, _MINUTE, counts_everything=True)
REQUESTS_OF_OVERLAY = Quota("requests_of_overlay", 120, _MINUTE, counts_everything=True)
"""Overlays have a budget of their own: what they do is nobody's."""
REQUESTS_OF_PERSON = Quota("requests_of_person", 600, _MINUTE, counts_everything=True)
COST_OF_PERSON = Quota("cost_of_person", 60_000, _MINUTE, counts_everything=True)
"""Sum of what queries cost, as the limits weigh them."""

USUAL: Mapping[str, Quota] = {
    quota.name: quota
    for quota in (
        SIGN_IN, SIGN_IN_OF_ACCOUNT, SIGN_IN_OF_ADDRESS, CODE_REQUEST, CODE_REQUEST_OF_ACCOUNT,
        CODE_REQUEST_OF_ADDRESS, SECOND_FACTOR, EXPORT, PLATFORM_CODE, PLATFORM_JOURNEY, OVERLAY_TEST, BRAND,
        INVITATION, INVITATION_TO_ADDRESS, UPLOAD, UPLOADED_MEBIBYTES, UPLOAD_FINISHED, CAMPAIGN, PARTICIPATION,
        DISPUTE, MESSAGE, MESSAGE_REPORT, IMPRESSION_REPORT, DEPOSIT, WITHDRAWAL, REQUESTS_OF_ADDRESS,
        REQUESTS_OF_PERSON, COST_OF_PERSON, REQUESTS_OF_OVERLAY,
    )
}  # fmt: skip
"""Every quota by its name."""

_CHANGE = re.compile(r"([a-z_]+)=([0-9]{1,9})/([0-9]{1,7})", re.ASCII)
_SIGHT_OF_IPV6 = 64

UNPROVEN = " (unproven)"
"""Behind an address that nobody vouches for: it lies in no network, and counts as what it says."""


def changed_quotas(text: str) -> Mapping[str, Quota]:
    """Quotas with other numbers, from `name=times/seconds, ...`. Raises ValueError that says what is not right."""
    found: dict[str, Quota] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not of the form name=times/seconds")
        name, times, seconds = match[1], int(match[2]), int(match[3])
        if name not in USUAL:
            raise ValueError(f"there is no quota {name!r}, but {', '.join(USUAL)}")
        if not times or not seconds:
            raise ValueError(f"{part!r} would let nothing pass: times and seconds are above zero")
        found[name] = replace(USUAL[name], times=times, window=timedelta(seconds=seconds))
    return found


def neighbourhood(address: str) -> str:
    """The subject by which an IP address is counted: itself, or its /64, for one customer has all of that in IPv6."""
    address = address.removesuffix(UNPROVEN)
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((found.packed, _SIGHT_OF_IPV6), strict=False))
