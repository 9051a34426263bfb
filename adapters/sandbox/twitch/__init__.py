"""The other side of streamers' channels: a Twitch that misbehaves when told to."""

from adapters.sandbox.platforms.office import SandboxSettings
from adapters.sandbox.twitch.app import RunningSandbox, create_sandbox, running_sandbox
from adapters.sandbox.twitch.sandbox import Sandbox

__all__ = ["RunningSandbox", "Sandbox", "SandboxSettings", "create_sandbox", "running_sandbox"]
