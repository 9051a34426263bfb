"""`gametriggers identity-sandbox`, `mail-sandbox` and others: who stands in, here, for other sites and mail."""

import typer

from adapters.cli.terminal import refusal, settings_of
from adapters.config import Settings


def identity_sandbox(
    port: int = typer.Option(8101, envvar="IDENTITY_SANDBOX_PORT", help="Port on loopback."),
) -> None:
    """Stand in for Google, Twitch and Telegram: whoever comes picks who to be. Faults are ordered at `/control`."""
    import uvicorn

    from adapters.sandbox.identity import SandboxSettings, create_sandbox
    from adapters.sandbox.identity.people import Site
    from adapters.sandbox.identity.sandbox import Client

    settings = settings_of(Settings)
    known = {
        Site.GOOGLE: (settings.google_client_id, settings.google_client_secret),
        Site.TWITCH: (settings.twitch_client_id, settings.twitch_client_secret),
        Site.TELEGRAM: (settings.telegram_client_id, settings.telegram_client_secret),
    }
    clients = {site: Client(id_, secret.get_secret_value()) for site, (id_, secret) in known.items() if id_ and secret}
    bot = settings.telegram_bot_token
    made = SandboxSettings(clients, bot.get_secret_value()) if bot else SandboxSettings(clients)
    uvicorn.run(create_sandbox(made), host="127.0.0.1", port=port, log_level="warning", access_log=False)


def mail_sandbox(
    port: int = typer.Option(8102, envvar="MAIL_SANDBOX_PORT", help="Port of the page on loopback."),
    smtp_port: int = typer.Option(8125, envvar="MAIL_SANDBOX_SMTP_PORT", help="Port of the mail server on loopback."),
) -> None:
    """Stand in for a mail server: take every letter, deliver none, and show them on a page."""
    import uvicorn

    from adapters.sandbox.mail import MailSandboxError, MailSandboxSettings, create_mail_sandbox

    try:
        application = create_mail_sandbox(MailSandboxSettings(smtp_port=smtp_port))
        uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    except MailSandboxError as error:
        raise refusal(error) from None


def twitch_sandbox(
    port: int = typer.Option(8103, envvar="TWITCH_SANDBOX_PORT", help="Port on loopback."),
) -> None:
    """Stand in for Twitch as streamers link their accounts there. Whoever comes picks a channel; see `/control`."""
    import uvicorn

    from adapters.sandbox.twitch import SandboxSettings, create_sandbox

    settings = settings_of(Settings)
    secret = settings.twitch_client_secret
    made = SandboxSettings(settings.twitch_client_id or "", secret.get_secret_value() if secret else "")
    uvicorn.run(create_sandbox(made), host="127.0.0.1", port=port, log_level="warning", access_log=False)


def youtube_sandbox(
    port: int = typer.Option(8104, envvar="YOUTUBE_SANDBOX_PORT", help="Port on loopback."),
) -> None:
    """Stand in for YouTube as streamers link their channel there. Whoever comes picks one; `/control` is a page."""
    import uvicorn

    from adapters.sandbox.youtube import SandboxSettings, create_sandbox

    settings = settings_of(Settings)
    secret, key = settings.google_client_secret, settings.youtube_api_key
    made = SandboxSettings(settings.google_client_id or "", secret.get_secret_value() if secret else "")
    application = create_sandbox(made, key.get_secret_value() if key else "")
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)
