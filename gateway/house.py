"""Builds the rooms from a configuration: store, resolver, tables, texts, a pipeline's house.

The daemon, `explain` and the commands all build them here; only the daemon and the commands that
write are given a writer.
"""

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from gateway import keyring, load
from gateway.authenticate import dkim, smime
from gateway.authenticate.evidence import Authenticator, AuthSettings
from gateway.authenticate.resolver import DnsResolver, Resolver, read_zone
from gateway.config import Config
from gateway.core.know import Knowing
from gateway.core.know.token import Keys
from gateway.core.model import Address, ArticleHit, Candidates, Clues, StaffAddress
from gateway.core.read import addresses, mime, wire
from gateway.core.say.desk import Desk, Post
from gateway.core.say.kinds import kind_of
from gateway.errors import BadInput, Temporary
from gateway.load import Loaded
from gateway.pipeline import House
from gateway.store.articles import ArticleIndex
from gateway.store.engine import Store
from gateway.store.reader import Reader

READERS = 4
SOON_SEARCHED = 1_000  # articles; more of them are searched in a thread
READ_SECONDS = 8.0  # for the one read of a mail, the wait for a thread included; then 451


@dataclass(frozen=True, slots=True)
class Tables:
    """What was read and proved, the articles as they are searched, and the keys of tokens."""

    loaded: Loaded
    index: ArticleIndex
    keys: Keys


class Standing:
    """The tables and texts in force. A reload is one swap; a bad one leaves all as it was."""

    def __init__(
        self,
        config: Config,
        *,
        read_only: bool = False,
        warm: bool = False,
        known: "Tables | None" = None,
    ) -> None:
        """Load everything once; `BadInput` with its place when anything is wrong.

        `known` is in force already, and is used whatever the files say by now: they may have
        been refused.

        `warm`: nothing is left for the first mail that needs it, so that no mail is told apart
        by the time it takes. A command for one mail leaves it.
        """
        self._config = config
        self._warm = warm
        self._read_only = read_only
        self._first_keys = keyring.load(config.paths.secrets, create=not read_only)
        self._seen = keyring.state(config.paths.secrets)
        self._support = _keys(config.support.addresses)
        if known is not None:
            self._use(replace(known, keys=self._first_keys))
        else:
            self._use(self._read(self._first_keys))

    def read(self) -> "Tables":
        """Read and prove the files again, without using them. May take a second: in a thread."""
        kept = self._read_only and not self._seen  # keys that were only thought of
        keys = self._first_keys if kept else keyring.again(self._config.paths.secrets)
        return self._read(keys)

    def _read(self, keys: Keys) -> "Tables":
        paths = self._config.paths
        loaded = load.load(paths.policies, paths.templates, paths.knowledge)
        _said_in(self._config.support.languages, loaded)
        index = ArticleIndex(loaded.articles, self._config.support.articles_url)
        if self._warm:
            loaded.templates.warm()
            index.warm()
        return Tables(loaded, index, keys)

    def renewed(self) -> Knowing:
        """For a token of a key that we do not have: the keys anew, if their file is another one.

        Anybody can write such a token, so the file is read once for each of its states.
        """
        path = self._config.paths.secrets
        state = keyring.state(path)
        if state == self._seen:
            return self.knowing
        self._seen = state
        with contextlib.suppress(BadInput):  # what is in force stays
            self._use(replace(self.tables, keys=keyring.again(path)))
        return self.knowing

    def use(self, tables: "Tables") -> None:
        """Put what was read into force."""
        self._use(tables)

    def _use(self, tables: "Tables") -> None:
        loaded = tables.loaded
        knowing = Knowing(
            support=self._support,
            languages=self._config.support.languages,
            keys=tables.keys,
            routing=loaded.routing,
            requests=loaded.requests,
            domain=self._config.support.domain,
        )
        staff = {each.address.lower(): each for each in loaded.routing.staff}
        self.tables = tables
        self.loaded, self.knowing, self.index, self.staff = loaded, knowing, tables.index, staff

    def search(self, text: str, language: str | None) -> tuple[ArticleHit, ...]:
        """The public articles that may answer."""
        return self.index.search(text, language)

    def listed_staff(self) -> Mapping[str, StaffAddress]:
        """Staff by address, as listed at this moment."""
        return self.staff


def _said_in(languages: tuple[str, ...], loaded: Loaded) -> None:
    """Every text for customers must be there in every language of the desk."""
    texts = loaded.templates.compiled
    kinds = sorted({kind for kind, _ in texts if not kind_of(kind).staff})
    for language in languages:
        missing = [kind for kind in kinds if (kind, language) not in texts]
        if missing:
            named = ", ".join(f"`{kind}`" for kind in missing[:3])
            message = f"`support.languages`: the templates say {named} not in `{language}`"
            raise BadInput(
                message, hint=f"add templates/{missing[0]}/{language}.txt, or remove it"
            )


def _keys(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(_address(text).key for text in texts)


def _address(text: str) -> Address:
    address = addresses.parse(text)
    if address is None:
        raise BadInput(f"`{text}` in `support.addresses` is not an address")
    return address


class Rooms:
    """Everything but a writer: what reads, proves, decides and renders."""

    def __init__(self, config: Config, store: Store, standing: Standing) -> None:
        """Use `Rooms.open`."""
        self.config = config
        self.store = store
        self.standing = standing
        self.reader = Reader(
            store,
            standing.listed_staff,
            standing.search,
            lambda: standing.loaded.routing.coalescing,
        )
        self._desk = desk(config, standing.knowing.keys)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    @classmethod
    def open(
        cls,
        config: Config,
        *,
        read_only: bool = False,
        warm: bool = False,
        known: "Tables | None" = None,
    ) -> "Rooms":
        """Open the store and load the tables; `BadInput` or `Temporary` when anything is wrong."""
        standing = Standing(config, read_only=read_only, warm=warm, known=known)
        blobs = config.paths.blobs
        return cls(config, Store.open(config.database.url, blobs, read_only=read_only), standing)

    @property
    def desk(self) -> Desk:
        """Who we are, with the keys in force."""
        return replace(self._desk, keys=self.standing.knowing.keys)

    def house(self, resolver: Resolver | None = None) -> House:
        """A pipeline's house over these rooms, with its own resolver and first sights."""
        settings = auth_settings(self.config)
        return House(
            authenticator=Authenticator(resolver or self.resolver(), settings),
            find=self._find,
            loaded=lambda: self.standing.loaded,
            knowing=lambda: self.standing.knowing,
            renewed=self.standing.renewed,
            desk=self.desk,
            authserv_id=settings.authserv_id,
            new_id=new_id,
            nonce=lambda: secrets.token_bytes(16),
            limits=wire.WireLimits(
                fields=self.config.limits.header_fields,
                header_bytes=self.config.limits.header_bytes,
            ),
            budget=mime.Budget(
                depth=self.config.limits.mime_depth,
                parts=self.config.limits.mime_parts,
                decoded=self.config.limits.mime_decoded_bytes,
                report=self.config.limits.report_bytes,
            ),
        )

    def post(self, at: datetime) -> Post:
        """For what the house says by itself, at a moment."""
        loaded = self.standing.loaded
        return Post(self.desk, loaded.templates, loaded.routing, secrets.token_bytes(16), at)

    def resolver(self) -> Resolver:
        """DNS, or the zone that stands in for it."""
        dns = self.config.dns
        if dns.zone is None:
            return DnsResolver(dns.servers or None)
        return zone_from(dns.zone)

    async def _find(self, clues: Clues) -> Candidates:
        """A file's look-ups cost less than two changes of threads; a server is waited for.

        Nobody keeps a reader of a file waiting: it reads beside the one that writes.
        """
        if self.store.sqlite and len(self.standing.loaded.articles) <= SOON_SEARCHED:
            return self.reader.candidates(clues)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await loop.run_in_executor(self._threads, self.reader.candidates, clues)
        except TimeoutError:
            raise Temporary("the database does not answer") from None

    def close(self) -> None:
        """Give back the threads and the database."""
        self._threads.shutdown()
        self.store.close()


def taking(config: Config) -> Callable[[Address], bool]:
    """Whether the door takes mail for an address: support addresses with their sub-addresses,
    return paths, and postmaster wherever mail is taken (RFC 5321 4.5.1).
    """
    taken = _keys(config.support.addresses) | {
        f"bounce@{config.support.domain.lower()}",
        *(f"postmaster@{domain}" for domain in _own_domains(config)),
    }

    def takes(recipient: Address) -> bool:
        return Address(recipient.local.partition("+")[0], recipient.domain).key in taken

    return takes


def desk(config: Config, keys: Keys) -> Desk:
    """Who we are on every mail that goes out."""
    support = config.support
    known_by = f"{support.domain} {support.addresses[0]}".encode()
    return Desk(
        domain=support.domain,
        addresses=support.addresses,
        instance=hashlib.sha256(known_by).hexdigest()[:16],
        panel_url=support.panel_url,
        name=support.name,
        languages=support.languages,
        keys=keys,
        articles_url=support.articles_url,
    )


def auth_settings(config: Config) -> AuthSettings:
    """The configuration's words as the settings of sender authentication."""
    proof = config.proof
    return AuthSettings(
        authserv_id=config.host_name,
        own_domains=_own_domains(config),
        own_signers=frozenset(domain.lower() for domain in proof.own_signers),
        weak_signers=frozenset(domain.lower() for domain in proof.weak_signers),
        wide_pools=frozenset(domain.lower() for domain in proof.wide_pools),
        own_shared_outbound=proof.own_shared_outbound,
        defer_for=timedelta(hours=proof.defer_hours),
        deadline=config.dns.deadline_seconds,
        max_queries=config.dns.max_queries,
        dkim=dkim.DkimSettings(engine=proof.dkim_engine, min_bits=proof.min_rsa_bits),
        pec_providers=_pec_providers(proof.pec_providers),
    )


def _own_domains(config: Config) -> frozenset[str]:
    support = config.support
    named = {domain.lower() for domain in (support.domain, *support.own_domains)}
    return frozenset(named | {_address(text).domain for text in support.addresses})


def _pec_providers(path: Path | None) -> smime.Trust:
    if path is None:
        return smime.Trust()
    try:
        return smime.trust(path.read_bytes(), str(path))
    except OSError as error:
        raise BadInput(f"cannot read the PEC providers: {error.strerror}", str(path)) from None


def zone_from(path: Path) -> Resolver:
    """A resolver over a JSON zone; `BadInput` names the file."""
    try:
        return read_zone(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read the zone: {error.strerror}", str(path)) from None
    except BadInput as error:
        raise BadInput(error.message, str(path)) from None


def new_id() -> str:
    """An id that sorts by time: milliseconds, then chance."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(7)}"
