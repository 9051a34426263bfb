"""Networks that staff may work from."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def network(text: str) -> IPv4Network | IPv6Network:
    """Read CIDR notation, or a lone address. Raises ValueError, also for host bits that are set.

    So it does for what no client's address is ever told as: one with a zone, and IPv4 in the clothes of IPv6.
    """
    found = ip_network(text.strip())
    if isinstance(found, IPv6Network) and (found.network_address.scope_id or found.network_address.ipv4_mapped):
        raise ValueError(text)
    return found


def within(networks: Iterable[str], address: str) -> bool:
    """Whether an address lies in one of the networks; with none given, whether it is this machine itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    allowed = [network(text) for text in networks]
    return any(found in one for one in allowed) if allowed else found.is_loopback
