"""Uploads on PostgreSQL, with files in a folder and pictures by Pillow: checked, kept, fetched, swept, forgotten."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image, features

from adapters.assets.local import LocalFiles
from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.asset.addresses import address_of, shown
from domain.asset.finishing import finish_upload
from domain.asset.keeping import contents
from domain.asset.model import (
    UPLOAD_LIFETIME,
    Asset,
    Flaw,
    MediaType,
    Purpose,
    RenditionName,
    State,
)
from domain.asset.receiving import awaited_by
from domain.asset.refusals import (
    UnknownAsset,
    UnknownAssetOwner,
    UploadExpired,
    UploadMissing,
    UploadNotPossible,
    UploadRefused,
)
from domain.asset.sending import start_upload
from domain.asset.sweeping import sweep_uploads
from domain.errors import UnavailableError
from domain.identity.refusals import TooManyTries
from domain.ids import AssetId, BrandId, PersonId, uuid7
from domain.quotas import UPLOAD
from domain.rights import BrandRole
from tests.asset_stage import MP4, PDF, WEBM, AssetStage, declared, picture, staged_assets
from tests.fake_quotas import FakeQuotas

DOCUMENT, LOGO, AVATAR, CREATIVE = (
    Purpose.BRAND_DOCUMENT, Purpose.BRAND_LOGO, Purpose.STREAMER_AVATAR, Purpose.CREATIVE,
)  # fmt: skip
WHOLE = RenditionName.WHOLE


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AssetStage]:
    async with staged_assets(database) as opened:
        yield opened


async def refused(stage: AssetStage, content: bytes, said: bytes, type_: MediaType, purpose: Purpose) -> Flaw:
    """Something comes that is another than was said; why it is not taken, the same for ever."""
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, said, type_, purpose, None if purpose is AVATAR else brand)
    assert await stage.put(asset, content)
    first = await finish_upload(stage, me, asset.id)
    assert isinstance(first, UploadRefused), first
    assert await finish_upload(stage, me, asset.id) == first
    assert address_of(stage, (await stage.reads.assets([asset.id]))[asset.id], WHOLE) is None
    assert await stage.value("select count(*) from event where name = 'AssetReady'") == 0
    stage.turn(hours=2)
    assert (await sweep_uploads(stage, stage.clock())).failed == []
    assert stage.lying() == []
    return first.reason


async def test_a_document_is_kept_sealed_and_fetched_as_it_was(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    content = PDF + b"Akta Pendirian" * 40_000 + b"%%EOF"
    asset = await stage.ready(me, content, MediaType.PDF, DOCUMENT, brand)
    assert (asset.state, asset.owner, asset.uploader) == (State.READY, f"brand:{brand}", me.person)
    assert await stage.read(asset) == content
    stage.turn(hours=2)
    await sweep_uploads(stage, stage.clock())
    (kept,) = stage.lying()
    assert b"Akta" not in kept.read_bytes()
    assert (await stage.deeds())[-1] == "asset.ready"
    assert (
        await stage.value("select count(*) from asset where position('a file' in encode(file_name, 'escape')) > 0") == 0
    )
    assert (await stage.reads.assets([asset.id]))[asset.id].declared.file_name == "a file"


@pytest.mark.parametrize("type_", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_is_written_anew_in_three_sizes_without_what_cameras_add(stage: AssetStage, type_: str) -> None:
    me, brand = await stage.owner()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Jalan Rahasia 5"
    content = picture(type_, (2000, 1000), exif=exif)
    assert b"Rahasia" in content
    asset = await stage.ready(me, content, MediaType(f"image/{type_.lower()}"), LOGO, brand)
    sizes = {each.name: (each.width, each.height) for each in asset.renditions}
    assert sizes == {"whole": (1000, 2000), "overlay": (360, 720), "thumbnail": (128, 256)}
    for each in asset.renditions:
        read = await stage.read(asset, each.name)
        with Image.open(io.BytesIO(read)) as opened:
            assert (opened.size, opened.format) == (
                (each.width, each.height),
                each.media_type.partition("/")[2].upper(),
            )
            assert dict(opened.getexif()) == {}
        assert b"Rahasia" not in read


async def test_a_moving_picture_keeps_moving_and_loses_its_words(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    frames = [Image.new("RGB", (64, 64), (each * 20, 0, 0)) for each in range(10)]
    written = io.BytesIO()
    frames[0].save(
        written, "GIF", save_all=True, append_images=frames[1:], duration=[70] * 10, loop=0, comment=b"<script>"
    )
    asset = await stage.ready(me, written.getvalue(), MediaType.GIF, CREATIVE, brand)
    read = await stage.read(asset)
    assert b"<script>" not in read
    with Image.open(io.BytesIO(read)) as opened:
        assert (opened.n_frames, opened.info["duration"], opened.info["loop"]) == (10, 70, 0)  # type: ignore[attr-defined]  # GIFs have it
    with Image.open(io.BytesIO(await stage.read(asset, RenditionName.THUMBNAIL))) as opened:
        assert getattr(opened, "n_frames", 1) == 1


@pytest.mark.parametrize(("content", "type_"), [(MP4, MediaType.MP4), (WEBM, MediaType.WEBM)])
async def test_a_video_is_kept_as_it_is(stage: AssetStage, content: bytes, type_: MediaType) -> None:
    me, brand = await stage.owner()
    asset = await stage.ready(me, content, type_, CREATIVE, brand)
    assert await stage.read(asset) == content
    assert [each.name for each in asset.renditions] == [WHOLE]


async def test_a_polyglot_loses_what_is_no_picture(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    content = picture("JPEG") + b"PK\x03\x04<html><script>alert(1)</script>"
    asset = await stage.ready(me, content, MediaType.JPEG, LOGO, brand)
    assert b"<script>" not in await stage.read(asset)


PICTURE = picture()
HALF = PICTURE[: len(PICTURE) // 2]
BARE = b"\xff\xd8\xff" + bytes(500)
WRAPPED = b"<html>" + PDF


@pytest.mark.parametrize(
    ("came", "said", "type_", "purpose", "flaw"),
    [
        (PICTURE[:-5], PICTURE, MediaType.PNG, LOGO, Flaw.SIZE),
        (PICTURE + b"more", PICTURE, MediaType.PNG, LOGO, Flaw.SIZE),
        (PICTURE[:-1] + b"x", PICTURE, MediaType.PNG, LOGO, Flaw.HASH),
        (PICTURE, PICTURE, MediaType.JPEG, LOGO, Flaw.TYPE),
        (WRAPPED, WRAPPED, MediaType.PDF, DOCUMENT, Flaw.TYPE),
        (HALF, HALF, MediaType.PNG, AVATAR, Flaw.UNREADABLE),
        (BARE, BARE, MediaType.JPEG, LOGO, Flaw.UNREADABLE),
    ],
    ids=["shorter", "longer", "another", "mislabelled", "not at its beginning", "cut", "nothing but a signature"],
)
async def test_what_is_not_as_it_was_said_is_refused(
    stage: AssetStage, came: bytes, said: bytes, type_: MediaType, purpose: Purpose, flaw: Flaw
) -> None:
    assert await refused(stage, came, said, type_, purpose) is flaw


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes and many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compressobj(9)
    packed = rows.compress(bytes((width // 8 + 1) * min(height, 4000))) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(60_000, 60_000), (12_001, 10), (8_000, 8_000), (2**31 - 1, 1)])
async def test_a_bomb_is_refused_before_it_goes_off(stage: AssetStage, size: tuple[int, int]) -> None:
    content = bomb(*size)
    assert await refused(stage, content, content, MediaType.PNG, LOGO) is Flaw.TOO_LARGE


async def test_too_many_frames_are_refused(stage: AssetStage) -> None:
    frames = [Image.new("RGB", (4, 4), (each % 2 * 255, each % 255, 9)) for each in range(301)]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=20)
    content = written.getvalue()
    assert await refused(stage, content, content, MediaType.GIF, CREATIVE) is Flaw.TOO_LARGE


def test_the_decoders_that_we_promise_are_there() -> None:
    assert features.check("webp")
    assert features.check("jpg")
    assert features.check("zlib")


async def test_what_nobody_may_send_is_refused_before_it_is_sent(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    viewer = replace(me, brands={brand: BrandRole.VIEWER})
    fine = declared(PDF, MediaType.PDF)
    other = BrandId(uuid7())
    for actor, purpose, of in ((viewer, DOCUMENT, brand), (me, DOCUMENT, other), (me, LOGO, None), (me, AVATAR, brand)):
        assert isinstance(await start_upload(stage, actor, purpose, of, fine), UnknownAssetOwner)
    for wrong, field in (
        (replace(fine, media_type=MediaType.MP4), "mediaType"),
        (replace(fine, length=0), "length"),
        (replace(fine, length=10 * 1024 * 1024 + 1), "length"),
        (replace(fine, sha256=b"short"), "sha256"),
    ):
        found = await start_upload(stage, me, DOCUMENT, brand, wrong)
        assert isinstance(found, UploadNotPossible)
        assert found.field == field
    assert await stage.count("asset") == 0


async def test_uploads_are_counted(database: DatabaseAddresses) -> None:
    quotas = FakeQuotas(changed={UPLOAD.name: replace(UPLOAD, times=2)})
    async with staged_assets(database, quotas) as stage:
        me, brand = await stage.owner()
        for _ in range(2):
            await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
        assert isinstance(await start_upload(stage, me, DOCUMENT, brand, declared(PDF, MediaType.PDF)), TooManyTries)
        assert await stage.count("asset") == 2


async def test_only_those_finish_an_upload_who_may_send_such(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    await stage.put(asset, PDF)
    stranger, _ = await stage.owner("other@mail.example")
    viewer = replace(stranger, brands={brand: BrandRole.VIEWER})
    for actor in (stranger, viewer):
        assert isinstance(await finish_upload(stage, actor, asset.id), UnknownAsset)
    manager = replace(stranger, brands={brand: BrandRole.MANAGER})
    assert isinstance(await finish_upload(stage, manager, asset.id), Asset)
    mine, _ = await stage.started(me, picture(), MediaType.PNG, AVATAR)
    await stage.put(mine, picture())
    assert isinstance(await finish_upload(stage, stranger, mine.id), UnknownAsset)
    merged = replace(stranger, also=frozenset({me.person}))
    assert isinstance(await finish_upload(stage, merged, mine.id), Asset)


async def test_nothing_is_decided_while_nothing_came_and_all_is_given_up_in_time(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    assert isinstance(await finish_upload(stage, me, asset.id), UploadMissing)
    stage.clock.turn(UPLOAD_LIFETIME)
    await stage.put(asset, PDF)
    assert isinstance(await finish_upload(stage, me, asset.id), UploadExpired)
    await asyncio.gather(*(sweep_uploads(stage, stage.clock()) for _ in range(3)))
    assert isinstance(await finish_upload(stage, me, asset.id), UploadExpired)
    assert len(stage.lying()) == 1
    stage.turn(minutes=11)
    assert (await sweep_uploads(stage, stage.clock())).looked_at == 1
    assert stage.lying() == []
    assert (await sweep_uploads(stage, stage.clock())).looked_at == 0


async def test_a_token_is_good_until_the_upload_is_over(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, there = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    token = there.url.rpartition("/")[2]
    found = await awaited_by(stage, token)
    assert found is not None
    assert found.id == asset.id
    assert await awaited_by(stage, "another") is None
    stage.clock.turn(UPLOAD_LIFETIME - timedelta(seconds=1))
    assert await awaited_by(stage, token)
    stage.turn(seconds=1)
    assert await awaited_by(stage, token) is None


async def test_of_many_who_send_at_once_one_file_is_taken(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    contents_ = [PDF, *(PDF[:-1] + bytes([each]) for each in range(9))]
    taken = await asyncio.gather(*(stage.put(asset, content) for content in contents_))
    assert sum(taken) == 1
    (there,) = stage.lying()
    assert there.read_bytes() == contents_[taken.index(True)]


async def test_of_many_who_finish_at_once_all_hear_the_same_and_one_decides(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    content = picture("PNG", (900, 700))
    asset, _ = await stage.started(me, content, MediaType.PNG, LOGO, brand)
    await stage.put(asset, content)
    found = await asyncio.gather(*(finish_upload(stage, me, asset.id) for _ in range(6)))
    assert all(isinstance(each, Asset) and each.state is State.READY for each in found), found
    assert (await stage.deeds()).count("asset.ready") == 1
    assert await stage.value("select count(*) from event where name = 'AssetReady'") == 1
    ready = (await stage.reads.assets([asset.id]))[asset.id]
    assert len(await stage.read(ready)) == ready.renditions[0].length


async def test_a_sweep_and_a_finish_agree(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    await stage.put(asset, PDF)
    later = stage.clock() + UPLOAD_LIFETIME
    done, _ = await asyncio.gather(finish_upload(stage, me, asset.id), sweep_uploads(stage, later))
    state = (await stage.reads.assets([asset.id]))[asset.id].state
    expected = {State.READY: Asset, State.EXPIRED: UploadExpired}
    assert isinstance(done, expected[state])


class _DeadError(BaseException):
    """A process that is no more."""


@pytest.mark.parametrize("after", range(1, 4))
async def test_a_death_between_files_and_verdict_is_mended_by_finishing_again(
    stage: AssetStage, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    me, brand = await stage.owner()
    content = picture()
    asset, _ = await stage.started(me, content, MediaType.PNG, LOGO, brand)
    await stage.put(asset, content)
    keep, kept = LocalFiles.keep, list[object]()

    async def dying(self: LocalFiles, *which: object) -> None:
        await keep(self, *which)  # type: ignore[arg-type]  # what it was given
        kept.append(which)
        if len(kept) == after:
            raise _DeadError

    monkeypatch.setattr(LocalFiles, "keep", dying)
    with pytest.raises(_DeadError):
        await finish_upload(stage, me, asset.id)
    assert (await stage.reads.assets([asset.id]))[asset.id].state is State.AWAITED
    assert isinstance(await finish_upload(stage, me, asset.id), Asset)
    stage.turn(hours=2)
    await sweep_uploads(stage, stage.clock())
    assert len(stage.lying()) == 3


async def test_a_death_for_good_leaves_nothing_behind(stage: AssetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    me, brand = await stage.owner()
    content = picture()
    asset, _ = await stage.started(me, content, MediaType.PNG, LOGO, brand)
    await stage.put(asset, content)

    async def dead(*_: object) -> None:
        raise _DeadError

    with monkeypatch.context() as patch:
        patch.setattr("domain.asset.finishing._decide", dead)
        with pytest.raises(_DeadError):
            await finish_upload(stage, me, asset.id)
    assert len(stage.lying()) == 4
    stage.turn(hours=2)
    await sweep_uploads(stage, stage.clock())
    assert stage.lying() == []
    assert (await stage.reads.assets([asset.id]))[asset.id].state is State.EXPIRED


async def test_what_is_sent_after_the_check_is_never_handed_out(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset = await stage.ready(me, PDF, MediaType.PDF, DOCUMENT, brand)
    (stage.folder / "sent" / asset.id.hex).write_bytes(b"something else")
    assert await stage.read(asset) == PDF


async def test_an_address_is_good_for_one_file_and_a_short_while(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    one = await stage.ready(me, picture(), MediaType.PNG, LOGO, brand)
    two = await stage.ready(me, PDF, MediaType.PDF, DOCUMENT, brand)
    address = address_of(stage, one, WHOLE)
    assert address is not None
    assert address.startswith("https://us.example/assets/")
    name = address.rpartition("/")[2]
    assert await shown(stage, name)
    id_, size, until, proof = name.split("-", 3)
    for forged in (
        f"{two.id.hex}-{size}-{until}-{proof}",
        f"{id_}-thumbnail-{until}-{proof}",
        f"{id_}-{size}-{int(until) + 300}-{proof}",
        f"{id_}-{size}-{until}-{proof[:-1]}{'A' if proof[-1] != 'A' else 'B'}",
        f"{id_}-{size}-{'9' * 12}-{proof}",
        "../../etc/passwd", "", id_,
    ):  # fmt: skip
        assert await shown(stage, forged) is None
    stage.turn(minutes=14)
    assert await shown(stage, name)
    stage.turn(minutes=7)
    assert await shown(stage, name) is None


async def test_a_file_that_is_cut_or_mixed_up_is_not_handed_out_as_whole(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    content = PDF + bytes(400_000) + b"%%EOF"
    asset = await stage.ready(me, content, MediaType.PDF, DOCUMENT, brand)
    place = stage.files.lies_at(asset.id, WHOLE)
    assert place is not None
    whole = place.read_bytes()
    first = 4 + int.from_bytes(whole[:4], "big")
    for spoilt in (whole[:first], whole[first:] + whole[:first], b""):
        place.write_bytes(spoilt)
        with pytest.raises(Exception, match=r"not whole|does not open"):
            await stage.read(asset)
    place.unlink()
    with pytest.raises(UnavailableError):
        await stage.read(asset)


async def test_another_context_finds_what_is_ready_its_own_and_for_its_purpose(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    ready = await stage.ready(me, MP4, MediaType.MP4, CREATIVE, brand)
    logo = await stage.ready(me, picture(), MediaType.PNG, LOGO, brand)
    awaited, _ = await stage.started(me, MP4, MediaType.MP4, CREATIVE, brand)
    other, others = await stage.owner("other@mail.example")
    theirs = await stage.ready(other, MP4, MediaType.MP4, CREATIVE, others)
    async with stage.work() as work:
        found = await work.assets.ready([ready.id, logo.id, awaited.id, theirs.id], [f"brand:{brand}"], CREATIVE)
    assert list(found) == [ready.id]


async def test_an_erased_senders_personal_files_are_noise_and_then_gone(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    document = await stage.ready(me, PDF, MediaType.PDF, DOCUMENT, brand)
    logo = await stage.ready(me, picture(), MediaType.PNG, LOGO, brand)
    awaited, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    await _forgotten(stage, me.person)
    await stage.vault.destroy_key(me.person)
    found = await stage.reads.assets([document.id, logo.id, awaited.id])
    assert {each.state for each in (found[document.id], found[awaited.id])} == {State.GONE}
    assert (found[logo.id].state, found[logo.id].declared.file_name) == (State.READY, "")
    assert await stage.read(found[logo.id])
    with pytest.raises(UnavailableError):
        _ = [piece async for piece in contents(stage, document, document.renditions[0])]
    stage.turn(hours=2)
    await sweep_uploads(stage, stage.clock())
    assert {each.parent.name for each in stage.lying()} == {logo.id.hex}
    await _forgotten(stage, me.person)
    assert await stage.count("asset", "not cleared") == 0


async def test_an_erasure_amid_a_finish_leaves_nothing_readable(
    stage: AssetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, DOCUMENT, brand)
    await stage.put(asset, PDF)
    keep = LocalFiles.keep

    async def slowly(self: LocalFiles, *which: object) -> None:
        await keep(self, *which)  # type: ignore[arg-type]  # what it was given
        await _forgotten(stage, me.person)

    monkeypatch.setattr(LocalFiles, "keep", slowly)
    assert isinstance(await finish_upload(stage, me, asset.id), UnknownAsset)
    stage.turn(hours=2)
    await sweep_uploads(stage, stage.clock())
    assert stage.lying() == []


async def _forgotten(stage: AssetStage, person: PersonId) -> None:
    async with stage.work() as work:
        await work.erasures.forget([person])


async def test_who_is_kept_out_or_erased_begins_nothing(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    await stage.database.pool.execute("update person set status = 'banned' where id = $1", me.person)
    found = await start_upload(stage, me, DOCUMENT, brand, declared(PDF, MediaType.PDF))
    assert not isinstance(found, tuple)
    assert found.code == "UNKNOWN_PERSON"
    looking = replace(me, impersonator=Actor(me.person).person)
    found = await start_upload(stage, looking, DOCUMENT, brand, declared(PDF, MediaType.PDF))
    assert not isinstance(found, tuple)
    assert found.code == "NOT_WHILE_IMPERSONATING"


def test_no_name_that_came_from_outside_is_part_of_a_path(tmp_path: Path) -> None:
    files, id_ = LocalFiles(tmp_path, "https://us.example"), AssetId(uuid7())
    for place in (files._sent(id_), files._kept(id_, WHOLE)):
        assert place.resolve().is_relative_to(tmp_path)
