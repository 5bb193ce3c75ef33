"""Messages in and out, put together: sites, listener, inbox, pipeline, work; outbox and senders.

Called by `hub.background` in the one process that owns the store, and by tests.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from adapters.hl7v2.departing import departing
from adapters.hl7v2.envelope import open_beside
from adapters.hl7v2.inbox import Inbox
from adapters.hl7v2.mapping.library import library, message_names
from adapters.hl7v2.mllp import tls
from adapters.hl7v2.mllp.server import Limits, Server
from adapters.hl7v2.pipeline import Pipeline
from adapters.hl7v2.sites import Sites, read_sites
from adapters.hl7v2.work import Worker, principal_of
from hub.context import Context, Tenant
from hub.errors import HubError
from hub.interactions import Interactions
from hub.messages import render
from hub.settings import Settings, SettingsError, is_loopback

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receiving:
    """What runs.

    Attributes:
        server: Takes connections.
        inbox: Takes messages; also those that come in place of an acknowledgement.
        pipeline: Works on them.
    """

    server: Server
    inbox: Inbox
    pipeline: Pipeline

    def numbers(self) -> Mapping[str, float]:
        """For metrics: counts of no message in particular."""
        counts, outcomes = self.server.counts, self.pipeline.outcomes
        found = {
            "mllp_connections": counts.connections,
            "mllp_held_bytes": self.server.held,
            "hl7v2_in_work": outcomes.in_work,
        }
        totals = {
            **{f"mllp_{name}_total": value for name, value in asdict(counts).items()},
            **{f"hl7v2_{name}_total": value for name, value in asdict(outcomes).items()},
        }
        for name in ("mllp_connections_total", "hl7v2_in_work_total"):
            del totals[name]
        return found | totals


def sites_of(settings: Settings) -> Sites:
    """The sites of a hub, their maps compiled: 40 ms for each.

    Raises:
        SettingsError: A file cannot be used; the text names it.
    """
    sites = read_sites(settings)
    for site in sites.named.values():
        try:
            library(site, False).check()
        except HubError as error:
            raise SettingsError(words_of(error)) from error
    return sites


def words_of(error: HubError) -> str:
    """What is wrong, in English, for the command line."""
    issue = error.issues[0]
    words = render(issue.message, issue.arguments)
    return f"{issue.location}: {words}" if issue.location else words


@asynccontextmanager
async def receiving(
    door: Interactions,
    settings: Settings,
    listening: socket.socket,
    sites: Sites,
) -> AsyncIterator[Receiving]:
    """Take messages until the block ends; then what has come is answered.

    What waits in the log is taken up before anything new.

    Args:
        door: The record, in the process that owns the store.
        settings: Limits, TLS.
        listening: Bound to where senders connect.
        sites: Who may send, and how they write.

    Raises:
        SettingsError: A certificate cannot be used.
        StoreUnavailable: What waits cannot be read.
    """
    tenant = Tenant(zone=settings.zone)
    messages, kinds = door.store.messages, message_names().keys()
    worker = Worker(door, tenant, settings.base)
    pipeline = Pipeline(
        messages,
        tenant.key,
        worker,
        partial(open_beside, sites=sites, kinds=kinds),
        lines=settings.access_log,
    )
    inbox = Inbox(messages, tenant.key, sites, kinds, pipeline, settings.mllp_message_limit)
    server = Server(inbox, _limits(settings))
    context = _tls(settings)
    _warn(settings, sites)
    resumed = await pipeline.resume()
    if resumed:
        _log.info("%d messages that were in work are taken up again", resumed)
    await server.start(listening, context)
    looking = asyncio.create_task(pipeline.look_after())
    try:
        yield Receiving(server, inbox, pipeline)
    finally:
        loop = asyncio.get_running_loop()
        end = loop.time() + settings.shutdown_grace
        pipeline.wind_down()
        await server.stop(settings.shutdown_grace)
        looking.cancel()
        await pipeline.stop(max(1.0, end - loop.time()))
        await asyncio.wait([looking])


@asynccontextmanager
async def sending(
    door: Interactions, settings: Settings, sites: Sites, inbox: Inbox | None
) -> AsyncIterator[None]:
    """Send messages until the block ends.

    Args:
        door: The record, in the process that owns the store.
        settings: Base, zone, TLS.
        sites: Where messages go.
        inbox: Takes what comes in place of an acknowledgement; None: nobody does.

    Raises:
        SettingsError: A certificate cannot be used.
    """
    tenant = Tenant(zone=settings.zone)
    wanted = [site.destination for site in sites.named.values() if site.destination is not None]
    context = tls_to_destinations(settings) if any(one.tls for one in wanted) else None

    def as_site(name: str) -> Context:
        return Context(tenant, principal_of(name), base=settings.base)

    async def take(raw: bytes, address: str) -> None:
        if inbox is not None:
            taken = await inbox.take(raw, address)
            if taken.later is not None:
                await taken.later

    hub = Context(tenant, base=settings.base)
    async with departing(door, hub, sites, tls=context, take=take, context=as_site):
        yield


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.mllp_message_limit,
        settings.mllp_connections,
        budget=settings.body_budget,
        seconds=settings.mllp_timeout,
        rate=settings.body_rate,
    )


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.mllp_certificate:
        if settings.mllp_client_ca or settings.mllp_key:
            raise SettingsError("HUB_MLLP_CERTIFICATE is missing; without it there is no TLS.")
        return None
    try:
        return tls.server_context(
            Path(settings.mllp_certificate),
            Path(settings.mllp_key) if settings.mllp_key else None,
            Path(settings.mllp_client_ca) if settings.mllp_client_ca else None,
        )
    except tls.CertificateError as error:
        raise SettingsError(str(error)) from error


def tls_to_destinations(settings: Settings) -> ssl.SSLContext:
    """TLS for connections to destinations.

    Raises:
        SettingsError: A certificate cannot be used.
    """
    try:
        return tls.client_context(
            Path(settings.mllp_certificate) if settings.mllp_certificate else None,
            Path(settings.mllp_key) if settings.mllp_key else None,
            Path(settings.mllp_server_ca) if settings.mllp_server_ca else None,
        )
    except tls.CertificateError as error:
        raise SettingsError(str(error)) from error


def _warn(settings: Settings, sites: Sites) -> None:
    """MLLP knows no login: who reaches the port can write unless something says who may."""
    if is_loopback(settings.mllp_host) or settings.mllp_client_ca:
        return
    if sites.strangers and not sites.default.addresses:
        _log.warning(
            "everyone who reaches %s port %d may send HL7 v2 messages; HUB_HL7V2_STRANGERS=refuse, "
            "addresses in site files or HUB_MLLP_CLIENT_CA say who may",
            settings.mllp_host,
            settings.mllp,
        )
