"""What a staff member's public answer must not name."""

import pytest

from gateway.store import naming
from gateway.store.engine import Store


@pytest.mark.parametrize(
    "words, orders, ips, found",
    [
        (["vps-12", "vps-99"], [], [], ("vps-12",)),
        (["cliente.example"], [], [], ("cliente.example",)),
        (["mail.cliente.example", "iente.example", "index.php"], [], [], ()),
        ([], ["123456", "999999"], [], ("123456",)),
        ([], [], ["192.0.2.7", "192.0.2.8"], ("192.0.2.7",)),
        (["%.example", "srv-altro"], ["654321"], [], ("srv-altro", "654321")),
        ([], [], [], ()),
    ],
)
def test_what_somebody_has_is_found(
    store: Store, words: list[str], orders: list[str], ips: list[str], found: tuple[str, ...]
) -> None:
    """Services, orders, IP addresses and the domains of addresses, on both engines."""
    with store.read() as link:
        named = naming.somebodys(link, words, orders, ips)
    assert tuple(one for one in named if "%" not in one) == found
