"""Whose address is believed: what a trusted proxy saw, and nothing that stands left of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.address import client_address
from domain.identity.networks import within
from domain.quotas import UNPROVEN, neighbourhood

PEER = "10.0.0.1"
NOBODY = PEER + UNPROVEN

TOLD = {
    "no proxy: the peer": (PEER, [], 0, PEER),
    "a proxy that nobody told us of": (PEER, ["203.0.113.7"], 0, NOBODY),
    "a proxy that nobody told us of, and that says nothing": (PEER, [""], 0, NOBODY),
    "one proxy": (PEER, ["203.0.113.7"], 1, "203.0.113.7"),
    "one proxy, forged": (PEER, ["6.6.6.6, 203.0.113.7"], 1, "203.0.113.7"),
    "one proxy, forged on a line of its own": (PEER, ["6.6.6.6", "203.0.113.7"], 1, "203.0.113.7"),
    "two proxies": (PEER, ["203.0.113.7, 10.0.0.2"], 2, "203.0.113.7"),
    "two proxies, each on its own line": (PEER, ["203.0.113.7", "10.0.0.2"], 2, "203.0.113.7"),
    "two proxies, forged": (PEER, ["6.6.6.6,203.0.113.7,10.0.0.2"], 2, "203.0.113.7"),
    "told by fewer than there are": (PEER, ["203.0.113.7"], 2, NOBODY),
    "told by none": (PEER, [], 1, NOBODY),
    "empty": (PEER, [""], 1, NOBODY),
    "the last is empty": (PEER, ["203.0.113.7,"], 1, NOBODY),
    "no address": (PEER, ["unknown"], 1, NOBODY),
    "a name": (PEER, ["localhost"], 1, NOBODY),
    "a network": (PEER, ["203.0.113.0/24"], 1, NOBODY),
    "leading zeros": (PEER, ["203.0.113.007"], 1, NOBODY),
    "a number": (PEER, ["3405803783"], 1, NOBODY),
    "with a port": (PEER, ["203.0.113.7:4711"], 1, "203.0.113.7"),
    "with a port that is none": (PEER, ["203.0.113.7:x"], 1, NOBODY),
    "IPv6": (PEER, ["2001:0DB8::0001"], 1, "2001:db8::1"),
    "IPv6 in brackets": (PEER, ["[2001:db8::1]"], 1, "2001:db8::1"),
    "IPv6 with a port": (PEER, ["[2001:db8::1]:4711"], 1, "2001:db8::1"),
    "IPv6 with half a bracket": (PEER, ["[2001:db8::1"], 1, NOBODY),
    "IPv6 with what is no port": (PEER, ["[2001:db8::1]x"], 1, NOBODY),
    "IPv6 with a zone": (PEER, ["fe80::1%eth0"], 1, "fe80::1"),
    "IPv4 within IPv6": (PEER, ["::ffff:203.0.113.7"], 1, "203.0.113.7"),
    "a peer within IPv6": ("::ffff:10.0.0.1", [], 0, "10.0.0.1"),
    "a Unix socket": ("", [], 0, ""),
    "a proxy on a Unix socket": ("", ["203.0.113.7"], 1, "203.0.113.7"),
}


@pytest.mark.parametrize(("peer", "forwarded", "proxies", "expected"), TOLD.values(), ids=TOLD.keys())
def test_the_address_of_a_client(peer: str, forwarded: list[str], proxies: int, expected: str) -> None:
    assert client_address(peer, forwarded, proxies) == expected


@given(forged=st.lists(st.text(max_size=40)), proxies=st.integers(1, 3))
def test_nothing_that_a_caller_writes_changes_it(forged: list[str], proxies: int) -> None:
    """Each of our proxies adds at the right end, whatever it was given."""
    chain = ["203.0.113.7", "10.0.0.3", "10.0.0.2"][:proxies]
    assert client_address(PEER, [*forged, ", ".join(chain)], proxies) == "203.0.113.7"


@given(forged=st.lists(st.text(max_size=40)))
def test_without_proxies_no_header_is_read(forged: list[str]) -> None:
    address = client_address(PEER, forged, 0)
    assert address == (NOBODY if forged else PEER)
    assert neighbourhood(address) == PEER


@pytest.mark.parametrize(
    ("forwarded", "proxies", "allowed"),
    [([], 0, True), (["203.0.113.7"], 0, False), ([], 1, False), (["127.0.0.1"], 2, False), (["nonsense"], 1, False)],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", PEER])
def test_a_proxy_beside_us_opens_no_network_to_the_world(
    peer: str, forwarded: list[str], proxies: int, *, allowed: bool
) -> None:
    networks = ["10.0.0.0/8"] if peer == PEER else []
    assert within(networks, client_address(peer, forwarded, proxies)) is allowed
