"""Files over HTTP: a brand proves who it is with a document, shows a logo, and a streamer shows a face."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from PIL import Image

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.audit import audit
from domain.asset.sweeping import sweep_uploads
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole, StaffRole
from tests.accounts_house import AccountsHouse, bearer, running_accounts
from tests.asset_stage import MP4, PDF, AssetStage, picture
from tests.gql.house import Reply
from tests.people import enroll
from tests.staff_stage import WHY

REFUSED = "__typename ... on Refusal { code }"
FILE = "size mediaType length width height url"
ASSET = f"id purpose fileName mediaType length state flaw files {{ {FILE} }}"
START = f"""mutation ($input: StartUploadInput!) {{ startUpload(input: $input) {{ {REFUSED}
  ... on UploadNotPossible {{ field }}
  ... on UploadStarted {{ url fields {{ name value }} asset {{ {ASSET} }} }} }} }}"""
FINISH = f"""mutation ($id: ID!) {{ finishUpload(input: {{assetId: $id}}) {{ {REFUSED}
  ... on UploadRefused {{ reason }} ... on Asset {{ {ASSET} }} }} }}"""
CREATE = (
    f"""mutation ($input: CreateBrandInput!) {{ createBrand(input: $input) {{ {REFUSED} ... on Brand {{ id }} }} }}"""
)
CHANGE = f"""mutation ($input: ChangeBrandInput!) {{ changeBrand(input: $input) {{ {REFUSED}
  ... on Brand {{ verification documents {{ id fileName }} logo {{ {FILE} }} }} }} }}"""
CASES = f"{{ brandCases {{ edges {{ node {{ id revision documents {{ {ASSET} }} }} }} }} }}"
DECIDE = f"""mutation ($input: DecideBrandInput!) {{
  decideBrand(input: $input) {{ {REFUSED} ... on BrandCase {{ verification }} }} }}"""
LOOK = f"query ($id: ID!) {{ asset(id: $id) {{ {ASSET} }} }}"
BRAND = "query ($id: ID!) { node(id: $id) { ... on Brand { logo { url } documents { id } } } }"
LOGO = "query ($id: ID!) { node(id: $id) { ... on Brand { logo { url width } } } }"
PROFILE: dict[str, Any] = {
    "displayName": "Ani Plays", "categories": ["GAMES"], "language": "id", "rating": "TEEN", "country": "ID",
    "timeZone": "Asia/Jakarta",
}  # fmt: skip
BECOME = f"""mutation ($input: BecomeStreamerInput!) {{
  becomeStreamer(input: $input) {{ {REFUSED} ... on Streamer {{ id }} }} }}"""
AVATAR = f"""mutation ($input: SetStreamerAvatarInput!) {{
  setStreamerAvatar(input: $input) {{ {REFUSED} ... on Streamer {{ avatar(size: WHOLE) {{ {FILE} }} }} }} }}"""
SEEN = f"query ($id: ID!) {{ streamer(id: $id) {{ displayName avatar {{ {FILE} }} }} }}"
OFFICE = {"X-Forwarded-For": "203.0.113.9"}
HERE = {"X-Forwarded-For": "203.0.113.7"}


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database, trusted_proxies=1) as running:
        yield running


def assets(house: AccountsHouse) -> AssetStage:
    found = house.ports.asset
    assert isinstance(found, AssetStage)
    return found


async def somebody(house: AccountsHouse, **more: Any) -> dict[str, str]:
    enrolled = await enroll(house.stage.database.pool, **more)
    await house.stage.vault.create_key(enrolled.person)
    await house.stage.database.pool.execute(
        "update session set stepped_up_at = now() where id = $1", enrolled.session.id
    )
    return bearer({"accessToken": enrolled.token(house.tokens)}) | HERE


async def start(
    house: AccountsHouse, who: dict[str, str], content: bytes, type_: str, purpose: str, **more: object
) -> Any:
    wanted = {
        "purpose": purpose, "fileName": "../Akta é.pdf", "mediaType": type_, "length": len(content),
        "sha256": sha256(content).hexdigest(), **more,
    }  # fmt: skip
    return await house.one(START, who, input=wanted)


async def send(house: AccountsHouse, url: str, content: bytes, **fields: str) -> Reply:
    """A form with the file, as a browser sends it."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", content, filename="../../evil.html", content_type="text/html")
    return await house.request("POST", urlsplit(url).path, data=form, headers=HERE)


async def fetched(house: AccountsHouse, url: str, method: str = "GET") -> tuple[int, Any, bytes]:
    async with house.client.request(method, house.url + urlsplit(url).path, headers=HERE) as answer:
        return answer.status, answer.headers, await answer.read()


async def uploaded(
    house: AccountsHouse, who: dict[str, str], content: bytes, type_: str, purpose: str, **more: object
) -> Any:
    begun = await start(house, who, content, type_, purpose, **more)
    assert (await send(house, begun["url"], content)).status == 204
    return await house.one(FINISH, who, id=begun["asset"]["id"])


async def test_a_brand_proves_who_it_is_and_a_streamer_shows_a_face(house: AccountsHouse) -> None:
    ani, other = await somebody(house), await somebody(house)
    company = {"name": "Baterai Jaya", "industry": "Batteries", "size": "SMALL"}
    brand = (await house.one(CREATE, ani, input={"company": company, "idempotencyKey": "first"}))["id"]
    theirs = (await house.one(CREATE, other, input={"company": company, "idempotencyKey": "first"}))["id"]

    assert (await start(house, other, PDF, "PDF", "BRAND_DOCUMENT", brandId=brand))["code"] == "UNKNOWN_ASSET_OWNER"
    wrong = await start(house, ani, PDF, "MP4", "BRAND_DOCUMENT", brandId=brand)
    assert (wrong["code"], wrong["field"]) == ("UPLOAD_NOT_POSSIBLE", "mediaType")
    begun = await start(house, ani, PDF, "PDF", "BRAND_DOCUMENT", brandId=brand)
    document = begun["asset"]
    assert (document["state"], document["fileName"], document["files"]) == ("AWAITED", "Akta é.pdf", [])
    assert (await house.one(FINISH, ani, id=document["id"]))["code"] == "UPLOAD_MISSING"
    assert (await send(house, begun["url"], PDF + b"!")).status == 413
    assert (await send(house, begun["url"], PDF[:-1])).status == 400
    assert (await send(house, begun["url"] + "x", PDF)).status == 404
    assert (await send(house, begun["url"], PDF, key="ignored")).status == 204
    assert (await send(house, begun["url"], PDF)).status == 409
    assert (await house.one(FINISH, other, id=document["id"]))["code"] == "UNKNOWN_ASSET"
    ready = await house.one(FINISH, ani, id=document["id"])
    assert (ready["state"], await house.one(FINISH, ani, id=document["id"])) == ("READY", ready)
    assert (await send(house, begun["url"], PDF)).status == 404
    assert await house.one(LOOK, other, id=document["id"]) is None
    assert await house.one(LOOK, ani, id=document["id"]) == {
        name: ready[name] for name in ready if name != "__typename"
    }

    stolen = {"brandId": theirs, "documentIds": [document["id"]]}
    assert (await house.one(CHANGE, other, input=stolen))["code"] == "ASSET_NOT_READY"
    logo = await uploaded(house, ani, picture("PNG", (800, 400)), "PNG", "BRAND_LOGO", brandId=brand)
    mistaken = {"brandId": brand, "documentIds": [logo["id"]]}
    assert (await house.one(CHANGE, ani, input=mistaken))["code"] == "ASSET_NOT_READY"
    wanted = {"brandId": brand, "documentIds": [document["id"]], "logoId": logo["id"]}
    changed = await house.one(CHANGE, ani, input=wanted)
    assert [each["fileName"] for each in changed["documents"]] == ["Akta é.pdf"]
    assert (changed["logo"]["width"], changed["logo"]["mediaType"]) == (256, "WEBP")

    moderator = await somebody(house, staff=StaffRole.MODERATOR) | OFFICE
    await house.stage.database.pool.execute("insert into staff_network values ('203.0.113.0/24', 'office')")
    cases = [edge["node"] for edge in (await house.one(CASES, moderator))["edges"]]
    (case,) = (each for each in cases if each["id"] == brand)
    (shown,) = case["documents"]
    status, headers, body = await fetched(house, shown["files"][0]["url"])
    assert (status, body, headers["Content-Type"]) == (200, PDF, "application/pdf")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == "attachment; filename=\"Akta _.pdf\"; filename*=UTF-8''Akta%20%C3%A9.pdf"
    assert "person.looked_up" in await house.stage.deeds()
    verdict = {"brandId": brand, "approve": True, "reason": WHY, "revision": case["revision"]}
    assert (await house.one(DECIDE, moderator, input=verdict))["verification"] == "VERIFIED"
    again = await house.one(CHANGE, ani, input={"brandId": brand, "documentIds": []})
    assert (again["verification"], again["documents"]) == ("PENDING", [])

    streamer = (await house.one(BECOME, ani, input=PROFILE))["id"]
    face = await uploaded(house, ani, picture("JPEG", (300, 300)), "JPEG", "STREAMER_AVATAR")
    assert (await house.one(AVATAR, ani, input={"assetId": logo["id"]}))["code"] == "ASSET_NOT_READY"
    assert (await house.one(AVATAR, other, input={"assetId": face["id"]}))["code"] == "NOT_STREAMER"
    assert (await house.one(AVATAR, ani, input={"assetId": face["id"]}))["avatar"]["width"] == 300
    seen = (await house.one(SEEN, other, id=streamer))["avatar"]
    status, headers, body = await fetched(house, seen["url"])
    with Image.open(io.BytesIO(body)) as opened:
        assert (status, opened.size, headers["Content-Length"]) == (200, (256, 256), str(len(body)))
    assert (await fetched(house, seen["url"], "HEAD"))[0] == 200
    house.stage.turn(minutes=21)
    assert (await fetched(house, seen["url"]))[0] == 404
    assert (await house.one(AVATAR, ani, input={}))["avatar"] is None

    assert (await sweep_uploads(assets(house), house.stage.clock())).failed == []
    pool = house.stage.database.pool
    async with pool.acquire() as connection:
        assert (await audit(connection, bytes(32), [])).findings == []


async def test_a_viewer_sees_the_logo_and_no_document(house: AccountsHouse) -> None:
    brand = BrandId(uuid7())
    owner, viewer = [await somebody(house, brands={brand: role}) for role in (BrandRole.OWNER, BrandRole.VIEWER)]
    id_ = (await house.one("{ viewer { brands { edges { node { id } } } } }", owner))["brands"]["edges"][0]["node"][
        "id"
    ]
    logo = await uploaded(house, owner, picture(), "PNG", "BRAND_LOGO", brandId=id_)
    assert (await house.one(CHANGE, owner, input={"brandId": id_, "logoId": logo["id"]}))["logo"]
    found = await house.one(LOGO, viewer, id=id_)
    status, headers, _ = await fetched(house, found["logo"]["url"])
    assert (status, headers["Content-Type"]) == (200, "image/webp")
    assert (await house.run(BRAND, viewer, id=id_)).codes == ["FORBIDDEN"]
    assert (await start(house, viewer, PDF, "PDF", "BRAND_DOCUMENT", brandId=id_))["code"] == "UNKNOWN_ASSET_OWNER"


async def test_a_video_is_fetched_in_parts_and_what_is_lost_is_not_there(house: AccountsHouse) -> None:
    brand = BrandId(uuid7())
    owner = await somebody(house, brands={brand: BrandRole.OWNER})
    id_ = (await house.one("{ viewer { brands { edges { node { id } } } } }", owner))["brands"]["edges"][0]["node"][
        "id"
    ]
    video = await uploaded(house, owner, MP4, "MP4", "CREATIVE", brandId=id_)
    face = await uploaded(house, owner, picture(), "PNG", "STREAMER_AVATAR")
    path = urlsplit(video["files"][0]["url"]).path
    async with house.client.get(house.url + path, headers=HERE | {"Range": "bytes=4-11"}) as answer:
        assert (answer.status, await answer.read(), answer.content_type) == (206, b"ftypisom", "video/mp4")
    shutil.rmtree(assets(house).folder)
    for url in (video["files"][0]["url"], face["files"][0]["url"]):
        assert (await fetched(house, url))[0] == 404


async def test_what_is_no_form_with_one_file_leaves_the_upload_open(house: AccountsHouse) -> None:
    me = await somebody(house)
    content = picture()
    begun = await start(house, me, content, "PNG", "STREAMER_AVATAR")
    path = urlsplit(begun["url"]).path
    boundary = {**HERE, "Content-Type": "multipart/form-data; boundary=x"}
    part = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + content + b"\r\n"
    cases = [
        (content, {**HERE, "Content-Type": "image/png"}, 400),
        (b"", boundary, 400),
        (part, boundary, 400),
        (part + part + b"--x--\r\n", boundary, 413),
        (b"--x\r\n" + b"a" * 100, boundary, 400),
        (part.replace(b'"file"', b'"other"') + b"--x--\r\n", boundary, 400),
        (part.replace(b'"file"', b'"other"') + b"a" * 20_000, boundary, 413),
        (part + b"--x--\r\n", {**HERE, "Content-Type": f"multipart/form-data; boundary={'x' * 300}"}, 400),
        (b"x" * (len(content) + 40_000), boundary, 413),
    ]
    for body, headers, status in cases:
        assert (await house.request("POST", path, data=body, headers=headers)).status == status
    assert (await house.one(FINISH, me, id=begun["asset"]["id"]))["code"] == "UPLOAD_MISSING"
    assert assets(house).lying() == []
    assert (await house.request("POST", path, data=part + b"--x--\r\n", headers=boundary)).status == 204
    assert (await house.one(FINISH, me, id=begun["asset"]["id"]))["state"] == "READY"


async def test_of_many_forms_at_once_one_is_taken(house: AccountsHouse) -> None:
    me = await somebody(house)
    content = picture()
    begun = await start(house, me, content, "PNG", "STREAMER_AVATAR")
    replies = await asyncio.gather(*(send(house, begun["url"], content) for _ in range(5)))
    assert sorted(reply.status for reply in replies) == [204, 409, 409, 409, 409]
    assert (await house.one(FINISH, me, id=begun["asset"]["id"]))["state"] == "READY"
