"""The jobs of a worker: when each is due, and the action of the domain that it calls."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from adapters.postgres.outbox import prune_events
from adapters.webhooks import sweep_inbox
from adapters.wiring import Adapters
from domain.asset.sweeping import sweep_uploads
from domain.brand.invitations import prune_invitations
from domain.campaign.agreeing import lapse_offers
from domain.campaign.escrow import return_escrow
from domain.campaign.running import complete_due
from domain.earning.closing import close_minutes
from domain.earning.releasing import release_minutes
from domain.earning.resting import wake_rested
from domain.identity.exports import expire_exports, make_exports
from domain.identity.letters import send_letters
from domain.identity.mail_requests import answer_mail_requests
from domain.identity.pruning import prune_mail
from domain.identity.shredding import erase_due, shred_again
from domain.invoice.issuing import issue_invoices
from domain.streamer.discovery import measure_listing, renew_listing
from domain.streamer.grants import look_after_grants
from domain.streamer.watching import (
    count_followers,
    prune_samples,
    sample_streams,
    subscribe_all,
    tidy_subscriptions,
)
from domain.wallet.actions import expire_holds, sweep_top_ups
from domain.work import Swept

EVENTS_KEPT = timedelta(days=90)
"""After so long an event that is published and followed is history, which the ledger and the audit log keep."""

_log = structlog.get_logger(__name__)

Job = Callable[[Adapters], Awaitable[None]]


async def _sweep_top_ups(ports: Adapters) -> None:
    _tell("top_ups_swept", await sweep_top_ups(ports, ports.clock()))


async def _sweep_inbox(ports: Adapters) -> None:
    _tell("inbox_swept", await sweep_inbox(ports, ports.clock()))


async def _expire_holds(ports: Adapters) -> None:
    _tell("holds_expired", await expire_holds(ports, ports.clock()))


async def _answer_mail_requests(ports: Adapters) -> None:
    _tell("mail_requests_answered", await answer_mail_requests(ports.identity, ports.clock()))


async def _send_letters(ports: Adapters) -> None:
    _tell("letters_sent", await send_letters(ports.identity, ports.clock()))


async def _prune_mail(ports: Adapters) -> None:
    _log.info("candidates_forgotten", forgotten=await prune_mail(ports.identity, ports.clock()))


async def _prune_invitations(ports: Adapters) -> None:
    _log.info("invitations_forgotten", forgotten=await prune_invitations(ports.brand, ports.clock()))


async def _sweep_uploads(ports: Adapters) -> None:
    _tell("uploads_swept", await sweep_uploads(ports.asset, ports.clock()))


async def _complete_campaigns(ports: Adapters) -> None:
    _tell("campaigns_completed", await complete_due(ports.campaign, ports.clock()))


async def _return_escrow(ports: Adapters) -> None:
    _tell("escrow_returned", await return_escrow(ports.campaign, ports.clock()))


async def _lapse_offers(ports: Adapters) -> None:
    _tell("offers_lapsed", await lapse_offers(ports.campaign, ports.clock()))


async def _make_exports(ports: Adapters) -> None:
    _tell("exports_made", await make_exports(ports.privacy, ports.clock()))


async def _expire_exports(ports: Adapters) -> None:
    await expire_exports(ports.privacy, ports.clock())


async def _erase_due(ports: Adapters) -> None:
    _tell("erased", await erase_due(ports.privacy, ports.clock()))


async def _shred_again(ports: Adapters) -> None:
    _log.info("keys_destroyed_again", keys=await shred_again(ports.privacy, ports.clock()))


async def _renew_listing(ports: Adapters) -> None:
    if renewed := await renew_listing(ports.streamer):
        _log.info("listing_renewed", rows=renewed)


async def _measure_listing(ports: Adapters) -> None:
    if measured := await measure_listing(ports.streamer, ports.clock()):
        _log.info("listing_measured", rows=measured)


async def _look_after_grants(ports: Adapters) -> None:
    _tell("grants_looked_after", await look_after_grants(ports.streamer, ports.clock()))


async def _sample_streams(ports: Adapters) -> None:
    _tell("streams_sampled", await sample_streams(ports.streamer, ports.clock()))


async def _count_followers(ports: Adapters) -> None:
    _tell("followers_counted", await count_followers(ports.streamer, ports.clock()))


async def _subscribe_all(ports: Adapters) -> None:
    _tell("streams_subscribed", await subscribe_all(ports.streamer, ports.clock()))


async def _tidy_subscriptions(ports: Adapters) -> None:
    _log.info("subscriptions_tidied", ended=await tidy_subscriptions(ports.streamer, ports.clock()))


async def _prune_samples(ports: Adapters) -> None:
    _log.info("samples_forgotten", forgotten=await prune_samples(ports.streamer, ports.clock()))


async def _close_minutes(ports: Adapters) -> None:
    _tell("minutes_closed", await close_minutes(ports.earning, ports.clock()))


async def _wake_rested(ports: Adapters) -> None:
    _tell("rests_over", await wake_rested(ports.earning, ports.clock()))


async def _release_minutes(ports: Adapters) -> None:
    _tell("minutes_released", await release_minutes(ports.earning, ports.clock()))


async def _issue_invoices(ports: Adapters) -> None:
    _tell("invoices_issued", await issue_invoices(ports.invoice, ports.clock()))


def _tell(what: str, swept: Swept) -> None:
    for which, error in swept.failed:
        _log.warning("not_swept", job=what, which=which, error=repr(error))
    if swept.looked_at:
        _log.info(what, looked_at=swept.looked_at, failed=len(swept.failed))


async def _prune_inbox(ports: Adapters) -> None:
    await ports.inbox.prune(ports.clock())


async def _prune_events(ports: Adapters) -> None:
    pruned = await prune_events(ports.database.pool, ports.clock() - EVENTS_KEPT)
    _log.info("events_pruned", pruned=pruned)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job and when it runs: a cron expression, its sixth field seconds. Of all workers one runs it at a time."""

    when: str
    job: Job
    longest_s: float = 300.0
    """After so long a run counts as failed, so that one that stands still does not keep its job from ever running."""


JOBS: Mapping[str, Scheduled] = {
    "sweep_top_ups": Scheduled("* * * * * */10", _sweep_top_ups),
    "sweep_inbox": Scheduled("* * * * *", _sweep_inbox),
    "expire_holds": Scheduled("* * * * * */30", _expire_holds),
    "close_minutes": Scheduled("* * * * * */10", _close_minutes),
    "release_minutes": Scheduled("* * * * * */30", _release_minutes),
    "wake_rested": Scheduled("* * * * * */30", _wake_rested),
    "issue_invoices": Scheduled("11 * * * *", _issue_invoices, longest_s=3600),
    "answer_mail_requests": Scheduled("* * * * * */2", _answer_mail_requests),
    "send_letters": Scheduled("* * * * * */2", _send_letters),
    "sweep_uploads": Scheduled("*/5 * * * *", _sweep_uploads),
    "complete_campaigns": Scheduled("* * * * *", _complete_campaigns),
    "return_escrow": Scheduled("* * * * * 30", _return_escrow),
    "lapse_offers": Scheduled("* * * * *", _lapse_offers),
    "make_exports": Scheduled("* * * * * */10", _make_exports, longest_s=3600),
    "expire_exports": Scheduled("*/5 * * * *", _expire_exports),
    "erase_due": Scheduled("*/5 * * * *", _erase_due),
    "shred_again": Scheduled("23 4 * * *", _shred_again, longest_s=3600),
    "renew_listing": Scheduled("* * * * *", _renew_listing),
    "measure_listing": Scheduled("*/15 * * * *", _measure_listing),
    "prune_mail": Scheduled("37 3 * * *", _prune_mail),
    "prune_invitations": Scheduled("47 3 * * *", _prune_invitations),
    "look_after_grants": Scheduled("* * * * *", _look_after_grants),
    "sample_streams": Scheduled("* * * * *", _sample_streams),
    "count_followers": Scheduled("* * * * * 20", _count_followers),
    "subscribe_all": Scheduled("* * * * * 10", _subscribe_all),
    "tidy_subscriptions": Scheduled("7 * * * *", _tidy_subscriptions),
    "prune_samples": Scheduled("57 3 * * *", _prune_samples, longest_s=3600),
    "prune_inbox": Scheduled("17 3 * * *", _prune_inbox),
    "prune_events": Scheduled("27 3 * * *", _prune_events),
}
