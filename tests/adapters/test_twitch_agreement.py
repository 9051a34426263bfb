"""What we take for signed by Twitch is what twitchAPI, the library that most Python bots use, takes for it."""

import hmac
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twitchAPI.eventsub.webhook import EventSubWebhook

from adapters.twitch_webhook import is_signed

SECRET = "signed-with-this-secret"
ID, SENT, SIGNATURE = (
    f"Twitch-Eventsub-Message-{name}" for name in ("Id", "Timestamp", "Signature")
)  # as the library asks for them
NOW = "2026-11-21T10:11:12.634234626Z"
PRINTED = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@dataclass
class Posted:
    """As much of a request as is asked for."""

    headers: dict[str, str]
    body: bytes

    async def text(self) -> str:
        return self.body.decode()


async def they_agree(posted: Posted, secret: str = SECRET) -> bool:
    theirs = EventSubWebhook.__new__(EventSubWebhook)
    theirs.secret = secret
    ours = is_signed(secret, {name.lower(): value for name, value in posted.headers.items()}, posted.body)
    assert ours is await theirs._verify_signature(posted)  # type: ignore[arg-type] # as much of one as is asked for
    return ours


def signed(id_: str, sent: str, body: str, secret: str = SECRET) -> Posted:
    digest = hmac.new(secret.encode(), f"{id_}{sent}{body}".encode(), "sha256").hexdigest()
    return Posted({ID: id_, SENT: sent, SIGNATURE: f"sha256={digest}"}, body.encode())


@given(id_=PRINTED, body=st.text(st.characters(codec="utf-8")), secret=st.text("abc123-_", min_size=10, max_size=100))
@settings(max_examples=100, deadline=None)
async def test_of_what_is_signed(id_: str, body: str, secret: str) -> None:
    assert await they_agree(signed(id_, NOW, body, secret), secret)


@pytest.mark.parametrize("name", [ID, SENT, SIGNATURE])
@pytest.mark.parametrize("value", ["", "sha256=" + "0" * 64, "2026-11-21T10:11:12Z", "another"])
async def test_of_what_is_not(name: str, value: str) -> None:
    good = signed("e76c6bd4", NOW, '{"event": 1}')
    assert not await they_agree(Posted({**good.headers, name: value}, good.body))
    assert not await they_agree(Posted(good.headers, good.body + b" "))
    assert not await they_agree(good, "another-secret")
