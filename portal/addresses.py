"""The address a visitor is counted by."""

from __future__ import annotations

import ipaddress

from flask import request

_PREFIX = 64  # bits: what one subscriber has of IPv6, to change the rest of at will


def counted_address() -> str:
    """The address of the present request; of IPv6 the network that one subscriber has."""
    address = request.remote_addr or ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _PREFIX), strict=False))
