"""The other side of signing in: Google, Twitch and Telegram as OpenID providers who misbehave when told to."""

from adapters.sandbox.identity.app import RunningSandbox, create_sandbox, running_sandbox
from adapters.sandbox.identity.sandbox import Client, Sandbox, SandboxSettings

__all__ = ["Client", "RunningSandbox", "Sandbox", "SandboxSettings", "create_sandbox", "running_sandbox"]
