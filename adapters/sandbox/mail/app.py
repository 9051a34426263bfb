"""The sandbox as an ASGI application that also listens for SMTP, and as a server of its own inside a test."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette

from adapters.sandbox.listening import listening
from adapters.sandbox.mail import control, page
from adapters.sandbox.mail.faults import Faults
from adapters.sandbox.mail.mailbox import Mailbox
from adapters.sandbox.mail.receiver import MailSandboxSettings, receiving
from domain.clock import Clock, system_clock

_USUAL = MailSandboxSettings()


@dataclass(frozen=True, slots=True)
class RunningMailSandbox:
    """A sandbox that listens: SMTP on `smtp_port` of loopback, the page at `url`, the operator at `url`/control."""

    url: str
    smtp_port: int
    mailbox: Mailbox
    faults: Faults


def create_mail_sandbox(settings: MailSandboxSettings = _USUAL, *, clock: Clock = system_clock) -> Starlette:
    """The page and the operator's side as an application for uvicorn, whose lifespan listens for SMTP.

    Starting it raises `MailSandboxError` where aiosmtpd is not installed or the port is taken. Serve it on loopback
    only: it shows everybody's letters to anybody.
    """
    mailbox, faults = Mailbox(clock), Faults()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with receiving(settings, mailbox, faults) as port:
            app.state.smtp_port = port
            yield

    app = Starlette(routes=[*page.routes(), *control.routes()], lifespan=lifespan)
    app.state.mailbox, app.state.faults = mailbox, faults
    return app


@contextlib.asynccontextmanager
async def running_mail_sandbox(
    settings: MailSandboxSettings = _USUAL, *, clock: Clock = system_clock
) -> AsyncIterator[RunningMailSandbox]:
    """Serve a sandbox on free ports of loopback, in this event loop, until the block ends."""
    app = create_mail_sandbox(settings, clock=clock)
    async with listening(app) as url:
        yield RunningMailSandbox(url, app.state.smtp_port, app.state.mailbox, app.state.faults)
