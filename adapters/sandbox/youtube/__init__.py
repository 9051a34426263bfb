"""The other side of streamers' channels at YouTube: a Google that misbehaves when told to."""

from adapters.sandbox.platforms.office import SandboxSettings
from adapters.sandbox.youtube.app import RunningSandbox, create_sandbox, running_sandbox
from adapters.sandbox.youtube.sandbox import Sandbox

__all__ = ["RunningSandbox", "Sandbox", "SandboxSettings", "create_sandbox", "running_sandbox"]
