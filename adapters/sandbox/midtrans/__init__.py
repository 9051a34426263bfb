"""Midtrans' other side: Snap with its pay page, Core API, notifications, and an operator who can make it misbehave."""

from adapters.sandbox.midtrans.app import RunningSandbox, create_sandbox, running_sandbox
from adapters.sandbox.midtrans.sandbox import Sandbox, SandboxSettings

__all__ = ["RunningSandbox", "Sandbox", "SandboxSettings", "create_sandbox", "running_sandbox"]
