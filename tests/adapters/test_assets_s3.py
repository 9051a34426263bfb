"""Files in an object store: a real server over HTTP, and forms whose every condition and signature is recomputed."""

import asyncio
import hmac
import io
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import aiohttp
import boto3
import botocore.auth
import botocore.signers
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from PIL import Image

from adapters.assets.s3 import S3Access, S3Files
from adapters.embedded.database import DatabaseAddresses
from domain.asset.addresses import address_of
from domain.asset.finishing import finish_upload
from domain.asset.model import Asset, Flaw, MediaType, Purpose, RenditionName
from domain.asset.ports import Destination
from domain.asset.refusals import UploadMissing, UploadRefused
from domain.asset.sweeping import sweep_uploads
from domain.errors import UnavailableError
from domain.ids import AssetId, uuid7
from tests.asset_stage import PDF, AssetStage, declared, picture, staged_assets

SITE = "https://us.example"
NOW = datetime(2026, 5, 1, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[S3Access]:
    """A store with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = S3Access("files", "us-east-1", "our-key", "our-secret", f"http://{host}:{port}")
    bucket_of(access).create_bucket(Bucket="files")
    yield access
    server.stop()


def bucket_of(access: S3Access) -> Any:
    """The store as boto3 speaks to it."""
    return boto3.client(
        "s3", region_name=access.region, endpoint_url=access.endpoint, aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )  # fmt: skip


def lying(access: S3Access) -> set[str]:
    found = bucket_of(access).list_objects_v2(Bucket=access.bucket)
    return {each["Key"] for each in found.get("Contents", ())}


@pytest.fixture
async def stage(database: DatabaseAddresses, store: S3Access) -> AsyncIterator[AssetStage]:
    async with staged_assets(database) as opened:
        opened.files = S3Files(store, SITE)
        yield opened


async def send(there: Destination, content: bytes) -> int:
    """What a browser does with the form."""
    form = aiohttp.FormData()
    for name, value in there.fields.items():
        form.add_field(name, value)
    form.add_field("file", content, filename="a.pdf")
    async with aiohttp.ClientSession() as client, client.post(there.url, data=form) as answer:
        return answer.status


async def test_a_logo_goes_to_the_store_and_comes_from_it(stage: AssetStage, store: S3Access) -> None:
    me, brand = await stage.owner()
    content = picture("PNG", (600, 300))
    asset, there = await stage.started(me, content, MediaType.PNG, Purpose.BRAND_LOGO, brand)
    assert isinstance(await finish_upload(stage, me, asset.id), UploadMissing)
    assert await send(there, content) == 204
    ready = await finish_upload(stage, me, asset.id)
    assert isinstance(ready, Asset), ready
    address = address_of(stage, ready, RenditionName.THUMBNAIL)
    assert address is not None
    assert address.startswith(f"{store.endpoint}/files/kept/{asset.id.hex}/thumbnail?")
    async with aiohttp.ClientSession() as client, client.get(address) as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
        assert answer.headers["Content-Disposition"].startswith("inline; ")
        with Image.open(io.BytesIO(await answer.read())) as opened:
            assert opened.size == (256, 128)
    stage.turn(hours=2)
    assert (await sweep_uploads(stage, stage.clock())).failed == []
    assert {key for key in lying(store) if asset.id.hex in key} == {
        f"kept/{asset.id.hex}/{name}" for name in RenditionName
    }


async def test_a_personal_file_lies_sealed_and_comes_by_our_own_door(stage: AssetStage, store: S3Access) -> None:
    me, brand = await stage.owner()
    content = PDF + b"Akta" * 100_000 + b"%%EOF"
    asset, there = await stage.started(me, content, MediaType.PDF, Purpose.BRAND_DOCUMENT, brand)
    assert await send(there, content) == 204
    ready = await finish_upload(stage, me, asset.id)
    assert isinstance(ready, Asset), ready
    address = address_of(stage, ready, RenditionName.WHOLE)
    assert address is not None
    assert address.startswith(f"{SITE}/assets/")
    assert await stage.read(ready) == content
    kept = bucket_of(store).get_object(Bucket="files", Key=f"kept/{asset.id.hex}/whole")["Body"].read()
    assert b"Akta" not in kept


async def test_what_the_store_let_through_is_refused_all_the_same(stage: AssetStage, store: S3Access) -> None:
    me, brand = await stage.owner()
    for came, flaw in ((PDF + b"more", Flaw.SIZE), (PDF[:-2] + b"xx", Flaw.HASH)):
        asset, there = await stage.started(me, PDF, MediaType.PDF, Purpose.BRAND_DOCUMENT, brand)
        assert await send(there, came) == 204
        found = await finish_upload(stage, me, asset.id)
        assert isinstance(found, UploadRefused)
        assert found.reason is flaw
        stage.turn(hours=2)
        await sweep_uploads(stage, stage.clock())
        assert not any(asset.id.hex in key for key in lying(store))


async def test_what_is_sent_after_the_check_changes_nothing(stage: AssetStage) -> None:
    me, brand = await stage.owner()
    asset, there = await stage.started(me, PDF, MediaType.PDF, Purpose.BRAND_DOCUMENT, brand)
    assert await send(there, PDF) == 204
    done = await asyncio.gather(*(finish_upload(stage, me, asset.id) for _ in range(3)))
    assert all(isinstance(each, Asset) for each in done)
    assert await send(there, PDF.replace(b"Catalog", b"Forgery")) == 204
    again = await finish_upload(stage, me, asset.id)
    assert isinstance(again, Asset)
    assert await stage.read(again) == PDF


async def test_a_store_that_does_not_answer_decides_nothing(stage: AssetStage, store: S3Access) -> None:
    me, brand = await stage.owner()
    asset, _ = await stage.started(me, PDF, MediaType.PDF, Purpose.BRAND_DOCUMENT, brand)
    stage.files = S3Files(replace(store, endpoint="http://127.0.0.1:1"), SITE)
    with pytest.raises(UnavailableError):
        await finish_upload(stage, me, asset.id)
    stage.files = S3Files(replace(store, bucket="no-such-bucket"), SITE)
    with pytest.raises(UnavailableError):
        await finish_upload(stage, me, asset.id)
    stage.files = S3Files(store, SITE)
    assert isinstance(await finish_upload(stage, me, asset.id), UploadMissing)


def test_a_form_is_boto3s_and_pins_key_type_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (botocore.auth, botocore.signers):
        monkeypatch.setattr(module, "get_current_datetime", lambda remove_tzinfo=True: _now(remove_tzinfo))
    access = S3Access("files", "ap-southeast-3", "our-key", "our-secret", "https://store.example")
    id_ = AssetId(uuid7())
    made = S3Files(access, SITE).destination(id_, declared(PDF, MediaType.PDF), "unused")
    conditions = [
        {"Content-Type": "application/pdf"}, {"success_action_status": "204"},
        ["content-length-range", len(PDF), len(PDF)],
    ]  # fmt: skip
    theirs = bucket_of(access).generate_presigned_post(
        Bucket="files", Key=f"sent/{id_.hex}", ExpiresIn=3600, Conditions=conditions,
        Fields={"Content-Type": "application/pdf", "success_action_status": "204"},
    )  # fmt: skip
    assert (made.url, made.fields) == (theirs["url"], theirs["fields"])
    policy = json.loads(b64decode(made.fields["policy"]))
    assert policy["expiration"] == "2026-05-01T04:00:00Z"
    for condition in (*conditions, {"bucket": "files"}, {"key": f"sent/{id_.hex}"}):
        assert condition in policy["conditions"]
    assert "${filename}" not in made.fields["key"]
    key = b"AWS4our-secret"
    for part in ("20260501", "ap-southeast-3", "s3", "aws4_request", made.fields["policy"]):
        key = hmac.digest(key, part.encode(), sha256)
    assert made.fields["x-amz-signature"] == key.hex()


def _now(remove_tzinfo: bool) -> datetime:
    return NOW.replace(tzinfo=None) if remove_tzinfo else NOW
