"""A campaign's nouns and rules: what it says and costs, and how it goes from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.campaign.spending import Pacing, Rest, Schedule
from domain.campaign.targeting import EVERYBODY, MOST_WANTED, Targeting
from domain.ids import BrandId
from domain.money import Currency, Money

CampaignId = NewType("CampaignId", UUID)

LONGEST_TITLE: Final = 100
LONGEST_DESCRIPTION: Final = 2_000
LONGEST_LINK: Final = 500
MOST_MINUTES: Final = 100_000
"""Minutes that one participation may be asked to show."""


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    ACTIVE = "active"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    """Staff has stopped it: only staff lets it go on."""
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def runs(self) -> bool:
        """Whether its budget lies in escrow."""
        return self in {CampaignState.ACTIVE, CampaignState.PAUSED, CampaignState.SUSPENDED}


class CampaignStep(StrEnum):
    """What moves a campaign."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    LAUNCH = "launch"
    PAUSE = "pause"
    RESUME = "resume"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REINSTATE_PAUSED = "reinstate_paused"
    """Of one that its brand had paused before staff stopped it: it is for the brand to go on."""
    COMPLETE = "complete"
    CANCEL = "cancel"


_S, _T = CampaignState, CampaignStep

NEXT: Final[Mapping[tuple[CampaignState, CampaignStep], CampaignState]] = {
    (_S.DRAFT, _T.EDIT): _S.DRAFT,
    (_S.DRAFT, _T.SUBMIT): _S.IN_REVIEW,
    (_S.DRAFT, _T.CANCEL): _S.CANCELLED,
    (_S.IN_REVIEW, _T.EDIT): _S.DRAFT,
    (_S.IN_REVIEW, _T.APPROVE): _S.APPROVED,
    (_S.IN_REVIEW, _T.REJECT): _S.DRAFT,
    (_S.IN_REVIEW, _T.CANCEL): _S.CANCELLED,
    (_S.APPROVED, _T.EDIT): _S.DRAFT,
    (_S.APPROVED, _T.REJECT): _S.DRAFT,
    (_S.APPROVED, _T.LAUNCH): _S.ACTIVE,
    (_S.APPROVED, _T.CANCEL): _S.CANCELLED,
    (_S.ACTIVE, _T.EDIT): _S.ACTIVE,
    (_S.ACTIVE, _T.PAUSE): _S.PAUSED,
    (_S.ACTIVE, _T.COMPLETE): _S.COMPLETED,
    (_S.ACTIVE, _T.CANCEL): _S.CANCELLED,
    (_S.ACTIVE, _T.SUSPEND): _S.SUSPENDED,
    (_S.PAUSED, _T.EDIT): _S.PAUSED,
    (_S.PAUSED, _T.RESUME): _S.ACTIVE,
    (_S.PAUSED, _T.COMPLETE): _S.COMPLETED,
    (_S.PAUSED, _T.CANCEL): _S.CANCELLED,
    (_S.PAUSED, _T.SUSPEND): _S.SUSPENDED,
    (_S.SUSPENDED, _T.EDIT): _S.SUSPENDED,
    (_S.SUSPENDED, _T.REINSTATE): _S.ACTIVE,
    (_S.SUSPENDED, _T.REINSTATE_PAUSED): _S.PAUSED,
    (_S.SUSPENDED, _T.COMPLETE): _S.COMPLETED,
    (_S.SUSPENDED, _T.CANCEL): _S.CANCELLED,
}
"""Every step there is; an absent one is refused."""

_REASONED: Final = frozenset({_T.SUBMIT, _T.REJECT, _T.SUSPEND, _T.REINSTATE, _T.REINSTATE_PAUSED})
"""Steps after which staff's reason is another, or none."""


class Pricing(StrEnum):
    """What a minute costs by."""

    CPM = "cpm"
    """The rate is for a minute before a thousand viewers."""
    FLAT = "flat"
    """The rate is for all agreed minutes together, however many watch."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a campaign is about: what staff looks at."""

    title: str
    description: str
    link: str
    """Where viewers are to go."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one participation brings: so many minutes at a rate."""

    pricing: Pricing
    rate: Money
    minutes: int

    @property
    def is_possible(self) -> bool:
        """Whether there is something to show, and to pay for it."""
        return self.rate.minor > 0 and 0 < self.minutes <= MOST_MINUTES


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent at most beside the budget; None: no such bound."""

    daily: Money | None = None
    """In one day of the campaign's zone."""
    per_streamer: Money | None = None
    """In one participation, altogether."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a brand says of a campaign. Each that there ever was is kept as a version."""

    brief: Brief
    terms: Terms
    """What is offered to everybody; what is agreed with one of them is theirs."""
    budget: Money
    schedule: Schedule
    caps: Caps = Caps()
    pacing: Pacing = Pacing.EVEN
    targeting: Targeting = EVERYBODY

    @property
    def currency(self) -> Currency:
        """The currency of budget, rate and caps."""
        return self.budget.currency

    @property
    def fault(self) -> str | None:
        """The first field that cannot be so, by its name; None where all is well."""
        brief, wanted = self.brief, self.targeting
        caps = {"dailyCap": self.caps.daily, "streamerCap": self.caps.per_streamer}
        wrong = {
            "title": not _fits(brief.title, 1, LONGEST_TITLE),
            "description": not _fits(brief.description.replace("\n", " "), 0, LONGEST_DESCRIPTION),
            "link": not _fits(brief.link, 1, LONGEST_LINK) or not brief.link.startswith(("https://", "http://")),
            "budget": self.budget.minor <= 0,
            "terms": not self.terms.is_possible or self.terms.rate.currency is not self.currency,
            **{name: cap is not None and not self._bounds(cap) for name, cap in caps.items()},
            "schedule": not self.schedule.is_possible,
            "targeting": wanted.most_of_a_kind > MOST_WANTED or not wanted.is_possible,
        }
        return next((name for name, is_wrong in wrong.items() if is_wrong), None)

    def _bounds(self, cap: Money) -> bool:
        return cap.currency is self.currency and 0 < cap.minor <= self.budget.minor


def _fits(text: str, least: int, most: int) -> bool:
    return least <= len(text.strip()) and len(text) <= most and text.isprintable()


@dataclass(frozen=True, slots=True)
class Suspension:
    """That staff has stopped a campaign."""

    since: datetime
    was_paused: bool
    """Whether its brand had paused it before."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it is kept, with the plan in force."""

    id: CampaignId
    brand: BrandId
    plan: Plan
    created_at: datetime
    state: CampaignState = CampaignState.DRAFT
    version: int = 1
    """Of the plan: counts edits. Staff's verdicts and agreements name the one that they are about."""
    seq: int = 1
    """Counts everything that happens to it: where a stream of its changes stands."""
    reason: str = ""
    """Why staff rejected it last, or has stopped it; empty once it is handed in again, or goes on."""
    launched_at: datetime | None = None
    ended_at: datetime | None = None
    emptied_at: datetime | None = None
    """When nothing was left in escrow after the end."""
    suspension: Suspension | None = None
    """While staff has stopped it."""
    rest: Rest | None = None
    """While it has spent what it may by now. Kept by what closes its minutes."""

    @property
    def owner(self) -> str:
        """Whose it is: the brand's members'."""
        return f"brand:{self.brand}"

    @property
    def escrow_owner(self) -> str:
        """The owner name of its escrow in the ledger."""
        return f"campaign:{self.id}"

    @property
    def owes_escrow(self) -> bool:
        """Whether it has ended and something may still lie in its escrow."""
        return None not in {self.launched_at, self.ended_at} and self.emptied_at is None

    def stepped(self, step: CampaignStep, now: datetime, reason: str = "") -> "Campaign | None":
        """The campaign after a step; None for a step that it cannot take."""
        state = NEXT.get((self.state, step))
        if state is None:
            return None
        suspension = self.suspension if state is CampaignState.SUSPENDED else None
        moved = replace(self, state=state, seq=self.seq + 1, suspension=suspension)
        if step in _REASONED:
            moved = replace(moved, reason=reason)
        if step is CampaignStep.SUSPEND:
            moved = replace(moved, suspension=Suspension(now, was_paused=self.state is CampaignState.PAUSED))
        if step is CampaignStep.LAUNCH:
            moved = replace(moved, launched_at=now)
        return replace(moved, ended_at=now) if step in {CampaignStep.COMPLETE, CampaignStep.CANCEL} else moved

    def reinstated(self, now: datetime) -> "Campaign | None":
        """The campaign as it stood before staff stopped it; None where staff has not."""
        if self.suspension is None:
            return None
        was_paused = self.suspension.was_paused
        return self.stepped(CampaignStep.REINSTATE_PAUSED if was_paused else CampaignStep.REINSTATE, now)

    def edited(self, plan: Plan, now: datetime) -> "Campaign | str | None":
        """The campaign with another plan; the field that must stay as it is, or None where nothing can be edited.

        Of a campaign that runs, the brief stays what staff approved, and the budget what lies in escrow.
        """
        if self.state.runs:
            kept = {"brief": plan.brief == self.plan.brief, "budget": plan.budget == self.plan.budget}
            fixed = next((name for name, is_same in kept.items() if not is_same), None)
            if fixed:
                return fixed
        moved = self.stepped(CampaignStep.EDIT, now)
        return None if moved is None else replace(moved, plan=plan, version=self.version + 1)
