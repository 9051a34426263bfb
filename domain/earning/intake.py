"""Reports of what was visible. Door: the overlay's mutation. The server judges: of viewers an overlay says nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from domain.earning.model import MOST_REPORTS, EarningPolicy, Report, Source, Verdict
from domain.earning.ports import EarningPorts
from domain.earning.refusals import TooManyReports
from domain.earning.sharing import EVERY, MINUTE, NONE, minute_of
from domain.identity.refusals import TooManyTries
from domain.quotas import IMPRESSION_REPORT
from domain.refusal import Refusal


async def report_impressions(
    ports: EarningPorts, source: Source, reports: Sequence[Report]
) -> Sequence[Verdict] | Refusal:
    """Count what an overlay saw, each report by itself: its verdict, in turn. The same again changes nothing."""
    if len(reports) > MOST_REPORTS:
        return TooManyReports()
    taken = await ports.quotas.take(IMPRESSION_REPORT, f"overlay:{source.overlay}", cost=len(reports))
    if not taken.allowed:
        return TooManyTries("This overlay reports too often.", taken.retry_after_s)
    now = ports.clock()
    live = await _live(ports, source, {report.minute for report in reports})
    verdicts = {place: _judged(ports.policy, report, now, live) for place, report in enumerate(reports)}
    good = [place for place, verdict in verdicts.items() if verdict is Verdict.COUNTED]
    if good:
        answers = await ports.evidence.add(source, [reports[place] for place in good], ports.policy.rates, now)
        verdicts.update(
            (place, Verdict(answer)) for place, answer in zip(good, answers, strict=True) if answer is not None
        )
    return [verdicts[place] for place in range(len(reports))]


async def _live(ports: EarningPorts, source: Source, minutes: set[datetime]) -> Mapping[datetime, bool]:
    """In which of the minutes the streamer was live, if only for a part of it."""
    one = source.streamer
    return {minute: bool((await ports.streams.sessions([one], minute, minute + MINUTE)).get(one)) for minute in minutes}


def _judged(policy: EarningPolicy, report: Report, now: datetime, live: Mapping[datetime, bool]) -> Verdict:
    """What can be said of a report before it is written down."""
    if not NONE < report.seen <= EVERY or report.minute != minute_of(report.minute):
        return Verdict.EMPTY
    last = report.minute + timedelta(seconds=report.seen.bit_length())
    if last > now + policy.skew:
        return Verdict.FROM_THE_FUTURE
    if report.minute + MINUTE + policy.reports_until < now:
        return Verdict.LATE
    return Verdict.COUNTED if live[report.minute] else Verdict.NOT_LIVE
