"""What of files is personal: an export tells it, an erasure makes noise of it, and nothing lies open."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.asset.model import MediaType, Purpose, State
from domain.asset.sweeping import sweep_uploads
from domain.identity.erasure import ErasureOutlook, erase_me
from domain.identity.shredding import erase_due
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from tests.asset_stage import PDF, AssetStage, assets_on, declared, picture
from tests.privacy_stage import PrivacyStage, all_that_is_written, staged_privacy, table


@dataclass
class Both:
    """People's privacy, and their files."""

    privacy: PrivacyStage
    files: AssetStage


@pytest.fixture
async def both(database: DatabaseAddresses, tmp_path: Path) -> AsyncIterator[Both]:
    async with staged_privacy(database) as privacy:
        yield Both(privacy, assets_on(privacy, tmp_path))


async def test_an_export_tells_files_and_an_erasure_takes_what_is_personal(
    both: Both, database: DatabaseAddresses
) -> None:
    stage, brand = both.files, BrandId(uuid7())
    me = replace(await stage.member(), brands={brand: BrandRole.OWNER})
    document = await stage.ready(me, PDF, MediaType.PDF, Purpose.BRAND_DOCUMENT, brand)
    logo = await stage.ready(me, picture(), MediaType.PNG, Purpose.BRAND_LOGO, brand)
    assert declared(PDF, MediaType.PDF).file_name not in await all_that_is_written(database)
    told = {row["purpose"]: row for row in table(await both.privacy.exported(me), "files")}
    assert (told["brand_document"]["file_name"], told["brand_document"]["state"]) == ("a file", "ready")
    assert told["brand_logo"]["owner"] == f"brand:{brand}"

    assert isinstance(await erase_me(both.privacy, me), ErasureOutlook)
    await both.privacy.post()
    both.privacy.turn(days=14)
    for _ in range(2):
        assert (await erase_due(both.privacy, both.privacy.clock())).failed == []
        await both.privacy.post()
    found = await stage.reads.assets([document.id, logo.id])
    assert (found[document.id].state, found[logo.id].state) == (State.GONE, State.READY)
    assert {each.declared.file_name for each in found.values()} == {""}
    assert (await sweep_uploads(stage, stage.clock())).failed == []
    assert {each.parent.name for each in stage.lying()} == {logo.id.hex}
