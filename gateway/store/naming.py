"""Whether a text names what belongs to some account: a service, an order, an IP address, or the
domain of an address. Asked for staff's answers to people without an account, and for nothing else.
"""

from collections.abc import Iterable

from sqlalchemy import exists, literal, select

from gateway.store import schema
from gateway.store.prepared import Link, Prepared, each, listed, named_in

DOMAINS = 30  # looked for by reading all addresses

_s, _i, _a = schema.services.c, schema.service_ips.c, schema.addresses.c
_SERVICES = Prepared(named_in("words", _s.name_key, _s.name_key))
_ORDERS = Prepared(named_in("orders", _s.order_number, _s.order_number))
_IPS = Prepared(named_in("ips", _i.ip, _i.ip))
_rows = each("domains")
_DOMAINS = Prepared(
    select(_rows.c.value).where(
        exists(select(_a.id).where(_a.key.like(literal("%@") + _rows.c.value)))
    )
)


def somebodys(
    link: Link, words: Iterable[str], orders: Iterable[str], ips: Iterable[str]
) -> tuple[str, ...]:
    """Those that some account has, each once."""
    words = list(words)
    domains = [word for word in words if "." in word][:DOMAINS]
    answers = link.answers(
        [
            (_SERVICES, {"words": listed(words)}),
            (_ORDERS, {"orders": listed(orders)}),
            (_IPS, {"ips": listed(ips)}),
            (_DOMAINS, {"domains": listed(domains)}),
        ]
    )
    return tuple(dict.fromkeys(str(row[0]) for answer in answers for row in answer.rows))
