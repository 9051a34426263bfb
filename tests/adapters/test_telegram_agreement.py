"""Our verifiers beside aiogram's, on random fields.

Its import takes longest of all packages, so it is imported here alone, and where these tests run at all.
"""

import base64
import string
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlencode

from hypothesis import given
from hypothesis import strategies as st

from adapters.identity.telegram import (
    PRODUCTION_KEY,
    TelegramProofs,
    mini_app_hash,
    read_mini_app_as_third_party,
    third_party_message,
    widget_hash,
)
from adapters.sandbox.identity.people import PEOPLE
from adapters.sandbox.identity.proofs import TELEGRAM_KEY, launch_text, widget_fields
from domain.identity.provider import ProviderLiedError

BOT_ID = 7000000001
BOT_TOKEN = f"{BOT_ID}:bot-secret-of-the-tests"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PUBLIC_KEY = TELEGRAM_KEY.public_key().public_bytes_raw()
OURS = TelegramProofs(BOT_TOKEN)

Fields = dict[str, str]

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
numbers = st.integers(1, 2**52)
moments = st.integers(0, 300).map(lambda ago: str(int(NOW.timestamp()) - ago))
names = st.text(string.ascii_lowercase + "_", min_size=1, max_size=12)
widgets = st.fixed_dictionaries(
    {"id": numbers.map(str), "first_name": texts, "auth_date": moments},
    optional={"last_name": texts, "username": texts, "photo_url": texts, "zz": texts},
)
users = numbers.map(lambda number: f'{{"id":{number},"first_name":"X"}}')
launches = st.fixed_dictionaries(
    {"user": users, "auth_date": moments}, optional={"query_id": texts, "start_param": texts, "chat_instance": texts}
)


def we_take_widget(fields: Fields) -> bool:
    try:
        OURS.of_widget(dict(fields), NOW)
    except ProviderLiedError:
        return False
    return True


def we_take_launch(text: str) -> bool:
    try:
        OURS.of_mini_app(text, NOW)
    except ProviderLiedError:
        return False
    return True


def we_take_as_third_party(text: str) -> bool:
    try:
        read_mini_app_as_third_party(text, BOT_ID, NOW, key=PUBLIC_KEY)
    except ProviderLiedError:
        return False
    return True


def they_take_launch(text: str) -> bool:
    from aiogram.utils.web_app import check_webapp_signature

    try:
        return check_webapp_signature(BOT_TOKEN, text)
    except TypeError:  # a hash with letters beyond ASCII raises there
        return False


def they_take_as_third_party(text: str) -> bool:
    from aiogram.utils.web_app_signature import check_webapp_signature

    try:
        return check_webapp_signature(BOT_ID, text, PUBLIC_KEY)
    except ValueError:  # what is no base64 raises there
        return False


def they_take_widget(fields: Fields) -> bool:
    from aiogram.utils.auth_widget import check_integrity

    return check_integrity(BOT_TOKEN, fields)


def signed(fields: Fields) -> str:
    signature = TELEGRAM_KEY.sign(third_party_message(fields, BOT_ID))
    told = {**fields, "signature": base64.urlsafe_b64encode(signature).rstrip(b"=").decode()}
    return urlencode({**told, "hash": mini_app_hash(told, BOT_TOKEN)}, quote_via=quote)


def changed(text: str, place: int, sign: str) -> str:
    place %= len(text)
    return text[:place] + sign + text[place + 1 :]


def test_the_key_is_telegrams_as_aiogram_has_it() -> None:
    from aiogram.utils.web_app_signature import PRODUCTION_PUBLIC_KEY

    assert PRODUCTION_KEY == PRODUCTION_PUBLIC_KEY


def test_what_the_sandbox_signs_aiogram_takes() -> None:
    from aiogram.utils.web_app import safe_parse_webapp_init_data

    for person in PEOPLE:
        text = launch_text(person, BOT_TOKEN, NOW)
        assert they_take_widget(widget_fields(person, BOT_TOKEN, NOW))
        assert they_take_as_third_party(text)
        user = safe_parse_webapp_init_data(BOT_TOKEN, text).user
        proof = OURS.of_mini_app(text, NOW)
        assert user is not None
        assert proof.profile.subject == str(user.id)
        assert proof.profile.name == f"{user.first_name} {user.last_name}".strip()


@given(widgets)
def test_widgets_that_either_signs_both_take(fields: Fields) -> None:
    told = {**fields, "hash": widget_hash(fields, BOT_TOKEN)}
    assert they_take_widget(told)
    assert we_take_widget(told)


@given(launches)
def test_launch_texts_that_are_signed_both_take(fields: Fields) -> None:
    text = signed(fields)
    assert they_take_launch(text)
    assert we_take_launch(text)
    assert they_take_as_third_party(text)
    assert we_take_as_third_party(text)


@given(widgets, st.data())
def test_widgets_that_were_changed_neither_takes(fields: Fields, data: st.DataObject) -> None:
    told = {**fields, "hash": widget_hash(fields, BOT_TOKEN)}
    name = data.draw(st.sampled_from(sorted(told)))
    match data.draw(st.sampled_from(["drop", "change", "add"])):
        case "drop":
            del told[name]
        case "change":
            told[name] = data.draw(texts.filter(lambda text: text != told[name]))
        case _:
            told[data.draw(names.filter(lambda new: new not in told))] = data.draw(texts)
    assert not they_take_widget({"hash": "", **told})
    assert not we_take_widget(told)


@given(launches, st.integers(0, 2000), st.sampled_from(string.printable + "é"))
def test_of_changed_launch_texts_we_take_none_that_they_refuse(fields: Fields, place: int, sign: str) -> None:
    text = changed(signed(fields), place, sign)
    assert they_take_launch(text) or not we_take_launch(text)
    assert they_take_as_third_party(text) or not we_take_as_third_party(text)


@given(launches, st.sampled_from(["user", "auth_date", "hash", "signature"]), texts)
def test_launch_texts_that_say_another_thing_neither_takes(fields: Fields, name: str, value: str) -> None:
    told = dict(parse_qsl(signed(fields), strict_parsing=True))
    if told[name] == value:
        return
    text = urlencode({**told, name: value})
    assert not they_take_launch(text)
    assert not we_take_launch(text)
    if name != "hash":
        assert not they_take_as_third_party(text)
        assert not we_take_as_third_party(text)


@given(st.text(max_size=300))
def test_of_anything_at_all_neither_takes_any(text: str) -> None:
    assert not we_take_launch(text)
    assert not we_take_as_third_party(text)


@given(launches, st.integers(301, 10**6))
def test_aiogram_does_not_look_at_the_moment_and_we_do(fields: Fields, ago: int) -> None:
    text = signed({**fields, "auth_date": str(int((NOW + timedelta(seconds=ago)).timestamp()))})
    assert they_take_launch(text)
    assert not we_take_launch(text)
