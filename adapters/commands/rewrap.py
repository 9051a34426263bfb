"""`gametriggers keys rewrap`: people's data keys wrapped by the newest master key, so that older ones may go."""

from collections.abc import Callable

from adapters.config import Settings
from adapters.postgres.database import Database
from adapters.vault.envelope import MasterKeys
from adapters.vault.rotation import master_keys_in_use, rewrap


async def run(settings: Settings, say: Callable[[str], None]) -> str:
    """Wrap them anew and answer what to tell. Raises `UnknownMasterKeyError` and `UnreadableError`."""
    master = MasterKeys.parse(settings.vault_master_keys.get_secret_value())
    address = settings.keys_database_url.get_secret_value()
    async with Database(address, size=1, behind_pooler=settings.database_behind_pooler) as database:
        done = await rewrap(database, master, report=lambda so_far, of: say(f"{so_far} of {of} data keys"))
        in_use = await master_keys_in_use(database)
    used = ", ".join(f"{name} ({count})" for name, count in in_use.items()) or "none"
    return (
        f"{done} data keys are wrapped by {master.newest} now. Master keys in use: {used}.\n"
        "What is not among them may be taken out of VAULT_MASTER_KEYS, once no backup needs it any more."
    )
