"""What a line of the audit log refuses to keep, and whose personal data it holds."""

import pytest

from domain.actor import Actor, Origin
from domain.audit_log import LONGEST_DETAIL, Deed, Detail
from domain.ids import PersonId, uuid7
from domain.vault import PLATFORM

ANI, STAFF = PersonId(uuid7()), PersonId(uuid7())
ORIGIN, OTHER_ORIGIN = Origin("203.0.113.7", "one"), Origin("203.0.113.8", "two")


@pytest.mark.parametrize(
    "name",
    ["password", "newPassword", "client_secret", "accessToken", "refresh_tokens", "recovery_codes", "TOTP_CODE",
     "password_hash", "apikey", "seal-key", "passkey_token", "hash", "key"],
)  # fmt: skip
def test_a_detail_that_is_named_like_a_secret_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no secret stands in the audit log"):
        Deed("person.changed", f"person:{ANI}", before={"name": "Ani", name: None})
    with pytest.raises(ValueError, match="no secret stands in the audit log"):
        Deed("person.changed", f"person:{ANI}", after={"name": "Ani", name: None})


def test_an_innocent_detail_is_not() -> None:
    details: dict[str, Detail] = {
        "name": "Ani",
        "passkey": "My laptop",
        "role": "support",
        "may_refund": True,
        "limit": 5,
        "city": None,
    }
    assert Deed("person.changed", f"person:{ANI}", before=details, after=details).after == details


def test_a_line_has_no_room_for_a_book() -> None:
    fits, beyond = "x" * LONGEST_DETAIL, "x" * (LONGEST_DETAIL + 1)
    Deed("person.changed", "it", before={"name": fits}, after={"name": fits}, reason=fits)
    with pytest.raises(ValueError, match=r"'name' of person\.changed has more than 1000 characters"):
        Deed("person.changed", "it", before={"name": beyond})
    with pytest.raises(ValueError, match=r"'name' of person\.changed has more than 1000 characters"):
        Deed("person.changed", "it", after={"name": beyond})
    with pytest.raises(ValueError, match=r"reason of person\.changed"):
        Deed("person.changed", "it", reason=beyond)


def test_where_it_came_from_is_the_actors_origin_unless_said_otherwise() -> None:
    actor = Actor(ANI, origin=ORIGIN)
    assert Deed("it.done", "it", actor).came_from == ORIGIN
    assert Deed("it.done", "it", actor, origin=OTHER_ORIGIN).came_from == OTHER_ORIGIN
    assert Deed("it.done", "it", origin=OTHER_ORIGIN).came_from == OTHER_ORIGIN
    assert Deed("it.done", "it", Actor(ANI)).came_from is None
    assert Deed("it.done", "it").came_from is None


def test_an_address_is_the_personal_data_of_whoever_sat_there() -> None:
    assert Deed("it.done", "it", Actor(ANI), about=STAFF).origin_of == ANI
    assert Deed("it.done", "it", Actor(ANI, impersonator=STAFF), about=ANI).origin_of == STAFF
    assert Deed("it.done", "it", about=ANI).origin_of == ANI
    assert Deed("it.done", "it").origin_of == PLATFORM
