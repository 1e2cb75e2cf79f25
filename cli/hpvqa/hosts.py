"""Names and addresses of machines."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit


def is_local(host: str) -> bool:
    """Whether a host is this machine itself, by an address that no other can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def from_here(hosts: Sequence[str], pages: Sequence[str]) -> bool:
    """Whether a request to a server on this machine comes from this machine, and not through a page of another site.

    Such a page may name an address of its own that it has led here meanwhile (DNS rebinding), and then that name is
    what the browser says as host; or it asks openly, and then the browser says where the page is from.

    Args:
        hosts: Each header ``Host`` of the request.
        pages: Each header ``Origin``.
    """
    return len(hosts) == 1 and all(map(_is_here, [f"//{hosts[0]}", *pages]))


def _is_here(address: str) -> bool:
    try:
        return is_local(urlsplit(address).hostname or "")
    except ValueError:
        return False
