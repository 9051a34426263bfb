import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from adapters.identity.telegram import (
    PRODUCTION_KEY,
    TelegramProofs,
    mini_app_hash,
    read_mini_app_as_third_party,
    third_party_message,
    widget_hash,
)
from adapters.sandbox.identity.people import PEOPLE, Person
from adapters.sandbox.identity.proofs import TELEGRAM_KEY, launch_text, widget_fields
from domain.identity.provider import (
    Profile,
    Proof,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    readable_name,
    safe_picture,
)

BOT_ID = 7000000001
BOT_TOKEN = f"{BOT_ID}:bot-secret-of-the-tests"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PUBLIC_KEY = TELEGRAM_KEY.public_key().public_bytes_raw()
AYU, BUDI, CITRA = PEOPLE

Fields = dict[str, str]


@pytest.fixture
def ours() -> TelegramProofs:
    return TelegramProofs(BOT_TOKEN)


def by_widget(person: Person, at: datetime) -> Proof:
    return TelegramProofs(BOT_TOKEN).of_widget(dict(widget_fields(person, BOT_TOKEN, at)), NOW)


def by_mini_app(person: Person, at: datetime) -> Proof:
    return TelegramProofs(BOT_TOKEN).of_mini_app(launch_text(person, BOT_TOKEN, at), NOW)


def by_third_party(person: Person, at: datetime) -> Proof:
    return read_mini_app_as_third_party(launch_text(person, BOT_TOKEN, at), BOT_ID, NOW, key=PUBLIC_KEY)


each_way = pytest.mark.parametrize("by", [by_widget, by_mini_app, by_third_party])
Way = Callable[[Person, datetime], Proof]


def signed_widget(**fields: str) -> dict[str, object]:
    told = {"id": "5", "first_name": "X", "auth_date": str(int(NOW.timestamp())), **fields}
    return {**told, "hash": widget_hash(told, BOT_TOKEN)}


def signed_launch(**fields: str) -> str:
    told = {"user": '{"id":5,"first_name":"X"}', "auth_date": str(int(NOW.timestamp())), **fields}
    return urlencode({**told, "hash": mini_app_hash(told, BOT_TOKEN)}, quote_via=quote)


@each_way
def test_the_number_names_the_person_whichever_way_they_come(by: Way) -> None:
    picture = "https://pictures.example/citra.jpg"
    assert by(CITRA, NOW).profile == Profile(
        Provider.TELEGRAM, "710000003", "Citra Dewi 🎮", None, mail_verified=False, picture=picture
    )
    assert by(BUDI, NOW).profile.name == "Budi"


@each_way
def test_a_proof_is_good_for_five_minutes_and_remembered_beyond(by: Way) -> None:
    by(AYU, NOW - timedelta(minutes=5))
    with pytest.raises(ProviderRefusedError, match="too old"):
        by(AYU, NOW - timedelta(minutes=5, seconds=1))
    by(AYU, NOW + timedelta(seconds=60))
    with pytest.raises(ProviderLiedError, match="future"):
        by(AYU, NOW + timedelta(seconds=61))
    assert by(AYU, NOW).used_until > NOW + timedelta(minutes=5)


def test_how_old_may_be_chosen() -> None:
    fields = dict(widget_fields(AYU, BOT_TOKEN, NOW - timedelta(hours=23)))
    assert TelegramProofs(BOT_TOKEN, fresh=timedelta(hours=24)).of_widget(fields, NOW).profile.subject == "710000001"


@each_way
def test_each_proof_has_a_digest_of_its_own(by: Way) -> None:
    digests = {by(person, NOW - timedelta(seconds=second)).digest for person in PEOPLE for second in range(3)}
    assert len(digests) == 9
    assert by(AYU, NOW).digest == by(AYU, NOW).digest


def test_a_proof_spelled_otherwise_is_the_same_proof(ours: TelegramProofs) -> None:
    text = launch_text(CITRA, BOT_TOKEN, NOW)
    first = ours.of_mini_app(text, NOW)
    pairs = parse_qsl(text)
    assert ours.of_mini_app(urlencode(pairs[::-1]), NOW) == first
    assert ours.of_mini_app("&".join(f"{name}={quote(value, safe='{}:,')}" for name, value in pairs), NOW) == first
    assert by_third_party(CITRA, NOW).digest == first.digest
    padded = text.replace(signature_of(text), signature_of(text) + "==")
    assert read_mini_app_as_third_party(padded, BOT_ID, NOW, key=PUBLIC_KEY).digest == first.digest


def signature_of(text: str) -> str:
    return dict(parse_qsl(text))["signature"]


def test_numbers_may_be_numbers_or_text(ours: TelegramProofs) -> None:
    fields: dict[str, object] = {**widget_fields(AYU, BOT_TOKEN, NOW)}
    first = ours.of_widget(fields, NOW)
    assert ours.of_widget({**fields, "id": AYU.number, "auth_date": int(NOW.timestamp())}, NOW) == first


@pytest.mark.parametrize("found", [True, None, 1.5, ["710000001"], -1, 1 << 63, pytest.param(10**5000, id="endless")])
def test_a_field_of_another_kind_is_a_lie(ours: TelegramProofs, found: object) -> None:
    with pytest.raises(ProviderLiedError):
        ours.of_widget({**widget_fields(AYU, BOT_TOKEN, NOW), "id": found}, NOW)


def test_a_name_cannot_be_cut_into_another_persons_number(ours: TelegramProofs) -> None:
    """Both say the same lines to Telegram's signature; only the first could be what Telegram signed."""
    moment = str(int(NOW.timestamp()))
    genuine = {"auth_date": moment, "first_name": "X\nid=710000001\nlast_name=Y", "id": "666", "username": "eve"}
    recut = {"auth_date": moment, "first_name": "X", "id": "710000001", "last_name": "Y\nid=666", "username": "eve"}
    assert widget_hash(genuine, BOT_TOKEN) == widget_hash(recut, BOT_TOKEN)
    for fields in (genuine, recut):
        with pytest.raises(ProviderLiedError, match="never sends"):
            ours.of_widget({**fields, "hash": widget_hash(fields, BOT_TOKEN)}, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "0"},
        {"id": "05"},
        {"id": "\u0665"},
        {"id": "5 "},
        {"id": "-5"},
        {"id": "1" * 20},
        {"last_name": ""},
        {"auth_date": "now"},
        {"auth_date": "9" * 12},
        {"a=b": "c"},
        {"last_name": "\ud800"},
    ],
)
def test_what_telegram_never_says_is_a_lie_even_if_signed(ours: TelegramProofs, fields: Fields) -> None:
    assert ours.of_widget(signed_widget(), NOW).profile.subject == "5"
    try:
        signed = signed_widget(**fields)
    except UnicodeEncodeError:
        signed = {**signed_widget(), **fields}
    with pytest.raises(ProviderLiedError):
        ours.of_widget(signed, NOW)


@pytest.mark.parametrize(
    "user",
    [
        "",
        "5",
        "null",
        "{",
        "[" * 5000,
        '{"first_name":"X"}',
        '{"id":"5"}',
        '{"id":5.0}',
        '{"id":true}',
        '{"id":0}',
        '{"id":-5}',
        f'{{"id":{"9" * 30}}}',
        f'{{"id":{"9" * 5000}}}',
    ],
)
def test_a_launch_that_names_no_user_is_a_lie(ours: TelegramProofs, user: str) -> None:
    assert ours.of_mini_app(signed_launch(), NOW).profile.subject == "5"
    with pytest.raises(ProviderLiedError):
        ours.of_mini_app(signed_launch(user=user), NOW)


@pytest.mark.parametrize("more", ["&user=%7B%22id%22%3A6%7D", "&extra=", "&extra", "&", "&=x", "&a%0Ab=c"])
def test_a_launch_text_with_something_added_is_a_lie(ours: TelegramProofs, more: str) -> None:
    with pytest.raises(ProviderLiedError):
        ours.of_mini_app(signed_launch() + more, NOW)


def test_a_launch_text_that_says_something_twice_is_a_lie(ours: TelegramProofs) -> None:
    with pytest.raises(ProviderLiedError, match="twice"):
        ours.of_mini_app("user=%7B%22id%22%3A6%7D&" + signed_launch(), NOW)


@pytest.mark.parametrize("text", ["", "hash=", "x" * 20_000, "&".join(f"a{n}=1" for n in range(50)), "%", "hash=é"])
def test_what_is_no_launch_text_is_a_lie(ours: TelegramProofs, text: str) -> None:
    with pytest.raises(ProviderLiedError):
        ours.of_mini_app(text, NOW)
    with pytest.raises(ProviderLiedError):
        read_mini_app_as_third_party(text, BOT_ID, NOW)


def test_fields_without_end_are_a_lie(ours: TelegramProofs) -> None:
    with pytest.raises(ProviderLiedError, match="so much"):
        ours.of_widget({f"a{number}": "1" for number in range(50)}, NOW)
    with pytest.raises(ProviderLiedError, match="so much"):
        ours.of_widget({"first_name": "x" * 20_000}, NOW)


def test_a_proof_for_another_bot_is_a_lie(ours: TelegramProofs) -> None:
    with pytest.raises(ProviderLiedError):
        ours.of_widget({**widget_fields(AYU, f"{BOT_ID}:another", NOW)}, NOW)
    with pytest.raises(ProviderLiedError):
        ours.of_mini_app(launch_text(AYU, f"{BOT_ID}:another", NOW), NOW)
    with pytest.raises(ProviderLiedError):
        read_mini_app_as_third_party(launch_text(AYU, BOT_TOKEN, NOW), BOT_ID + 1, NOW, key=PUBLIC_KEY)


def test_a_widgets_signature_opens_no_mini_app(ours: TelegramProofs) -> None:
    told = {"user": '{"id":5}', "auth_date": str(int(NOW.timestamp()))}
    with pytest.raises(ProviderLiedError):
        ours.of_mini_app(urlencode({**told, "hash": widget_hash(told, BOT_TOKEN)}), NOW)


def test_telegrams_own_key_signed_nothing_of_the_sandbox() -> None:
    with pytest.raises(ProviderLiedError):
        read_mini_app_as_third_party(launch_text(AYU, BOT_TOKEN, NOW), BOT_ID, NOW)
    assert len(PRODUCTION_KEY) == 32


@pytest.mark.parametrize("signature", ["", "A" * 86, "A" * 85, "A" * 88, "é" * 86, "*" * 86])
def test_a_signature_that_is_none_is_a_lie(signature: str) -> None:
    text = launch_text(AYU, BOT_TOKEN, NOW)
    with pytest.raises(ProviderLiedError):
        read_mini_app_as_third_party(text.replace(signature_of(text), signature), BOT_ID, NOW, key=PUBLIC_KEY)


def test_the_third_party_message_leaves_out_what_is_not_signed() -> None:
    text = launch_text(AYU, BOT_TOKEN, NOW)
    told = dict(parse_qsl(text))
    signature = base64.urlsafe_b64decode(told.pop("signature") + "==")
    told.pop("hash")
    TELEGRAM_KEY.public_key().verify(signature, third_party_message(told, BOT_ID))
    assert json.loads(told["user"])["id"] == AYU.number


@pytest.mark.parametrize("token", ["", ":", "7000000001", "7000000001:", "x:y", "07:abc", "7: a", "7:a\n"])
def test_a_bots_token_is_one(token: str) -> None:
    with pytest.raises(ValueError, match="a bot's token") as refused:
        TelegramProofs(token)
    assert not token.partition(":")[2].strip() or token not in str(refused.value)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (("Ayu",), "Ayu"),
        ((None, 5, " \n ", "Budi\x00 \u202e Main"), "Budi Main"),
        (("👩\u200d🚀",), "👩\u200d🚀"),
        (("\u200d", "Citra"), "Citra"),
        (("x" * 200,), "x" * 100),
        ((), ""),
    ],
)
def test_a_name_is_readable(told: tuple[object, ...], name: str) -> None:
    assert readable_name(*told) == name


@pytest.mark.parametrize("address", ["http://a.example/x", "javascript:alert(1)", "https://", "https://a b", 5, None])
def test_a_picture_is_one_over_https(address: object) -> None:
    assert safe_picture(address) is None
    assert safe_picture("https://a.example/x.jpg") == "https://a.example/x.jpg"
