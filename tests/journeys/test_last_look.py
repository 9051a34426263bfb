"""Whatever changed is looked at once more, an hour later: the last word must not be one that was old at the gateway."""

from datetime import timedelta

from adapters.embedded.database import DatabaseAddresses
from domain.wallet.actions import sweep_top_ups
from tests.builders import rupiah, staged


async def test_a_repeated_notification_does_not_call_off_the_last_look(database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        actor, wallet = await stage.somebody()
        top_up = await stage.settled(actor, wallet)
        for _ in range(2):
            await stage.confirmed(top_up)
        await stage.drive(top_up, "chargeback")  # and nobody tells us
        stage.clock.turn(timedelta(minutes=61))
        sweep = await sweep_top_ups(stage.ports, stage.clock())
        assert (sweep.looked_at, sweep.failed) == (1, [])
        assert (await stage.again(top_up)).taken_back == rupiah(50_000)
        stage.clock.turn(timedelta(days=2))
        assert (await sweep_top_ups(stage.ports, stage.clock())).looked_at == 1
        for _ in range(2):
            stage.clock.turn(timedelta(days=2))
            assert (await sweep_top_ups(stage.ports, stage.clock())).looked_at == 0, "all of it has gone back"
