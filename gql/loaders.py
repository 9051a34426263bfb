"""Loaders of one request, named by what they find and by what: many asked for together are one call of a port."""

from asyncio import Future, ensure_future, shield
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from domain.actor import Actor
from domain.brand.model import Brand
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.participation import Participation, ParticipationId
from domain.identity.model import Identity, Person
from domain.identity.ports import PersonText, SecondFactorsView, SessionView
from domain.ids import AccountId, BrandId, PersonId
from domain.ledger.ports import AccountView
from domain.ports import Ports
from domain.wallet.model import TopUp, TopUpId
from gql.lookup import by_key, lookup
from gql.observed import observed_load
from gql.staff_loaders import StaffLoaders

Found = TypeVar("Found")


@dataclass(slots=True)
class _Look:
    """A look-up that several wait for; one that nobody waits for any more is given up."""

    task: Future[Any]
    waiting: int = 0


class Loaders:
    """What one request, or one event of a subscription, has looked up."""

    def __init__(self, ports: Ports, actor: Actor | None) -> None:
        self._ports = ports
        self._batched: dict[Callable[..., Any], DataLoader[Any, Any]] = {}
        self._once: dict[Hashable, _Look] = {}
        self.staff = StaffLoaders(ports, actor)

    def of(self, load: Callable[..., Awaitable[Mapping[Any, Any]]]) -> DataLoader[Any, Any]:
        """The loader that finds things by what a batched field looks up with."""
        if load not in self._batched:
            self._batched[load] = DataLoader(observed_load(load.__name__, by_key(partial(load, self._ports))))
        return self._batched[load]

    async def once(self, name: str, find: Callable[[], Coroutine[Any, Any, Found]], *which: Hashable) -> Found:
        """What is the caller's own and is looked up by who they are: once a request, however often they are met.

        `which` tells one such look-up of a name from another, for example a page from the next.
        """
        key = (name, *which)
        look = self._once.get(key)
        if look is None:
            look = self._once[key] = _Look(ensure_future(find()))
        look.waiting += 1
        try:
            found: Found = await shield(look.task)
        finally:
            look.waiting -= 1
            if not (look.waiting or look.task.done()):
                del self._once[key]
                look.task.cancel()
        return found

    async def person(self, person: PersonId, text: PersonText | None = None) -> Person | None:
        """Somebody, with what a field needs of them: one of their texts, or none."""
        return await self.person_by_need.load((person, text))

    @lookup
    async def person_by_need(self, asked: list[tuple[PersonId, PersonText | None]]) -> Sequence[Person | None]:
        """People, with the texts that somebody asked for at the same time: no others are fetched, and none opened."""
        people = list(dict.fromkeys(person for person, _ in asked))
        found = await self._ports.identity.people.people(people, {text for _, text in asked if text is not None})
        return [found.get(person) for person, _ in asked]

    @lookup
    async def sessions_by_person(self, people: list[PersonId]) -> Sequence[Sequence[SessionView]]:
        """Where people are signed in."""
        found = await self._ports.identity.people.sessions_of(people)
        return [found[person] for person in people]

    @lookup
    async def identities_by_person(self, people: list[PersonId]) -> Sequence[Sequence[Identity]]:
        """How people sign in."""
        found = await self._ports.identity.people.identities_of(people)
        return [found[person] for person in people]

    @lookup
    async def second_factors_by_person(self, people: list[PersonId]) -> Sequence[SecondFactorsView]:
        """What people prove themselves with besides."""
        found = await self._ports.identity.people.second_factors_of(people)
        return [found[person] for person in people]

    @lookup
    async def wallet_by_id(self, ids: list[AccountId]) -> Sequence[AccountView | None]:
        """Accounts, whosever they are."""
        return await by_key(self._ports.books.accounts_by_id)(ids)

    @lookup
    async def brand_by_id(self, ids: list[BrandId]) -> Sequence[Brand | None]:
        """Brands, whosever they are."""
        return await by_key(self._ports.brand.reads.brands_by_id)(ids)

    @lookup
    async def campaign_by_id(self, ids: list[CampaignId]) -> Sequence[Campaign | None]:
        """Campaigns, whosever they are."""
        return await by_key(self._ports.campaign.reads.campaigns_by_id)(ids)

    @lookup
    async def participation_by_id(self, ids: list[ParticipationId]) -> Sequence[Participation | None]:
        """Participations, whosever they are."""
        return await by_key(self._ports.campaign.reads.participations_by_id)(ids)

    @lookup
    async def top_up_by_id(self, ids: list[TopUpId]) -> Sequence[TopUp | None]:
        """Top-ups, whosever they are."""
        return await by_key(self._ports.top_ups.top_ups_by_id)(ids)
