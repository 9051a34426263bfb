"""The mail server of a world without mail: it takes every letter, delivers none, and shows them on a page."""

from adapters.sandbox.mail.app import RunningMailSandbox, create_mail_sandbox, running_mail_sandbox
from adapters.sandbox.mail.mailbox import Mailbox, ReceivedLetter
from adapters.sandbox.mail.receiver import MailSandboxError, MailSandboxSettings

__all__ = [
    "MailSandboxError",
    "MailSandboxSettings",
    "Mailbox",
    "ReceivedLetter",
    "RunningMailSandbox",
    "create_mail_sandbox",
    "running_mail_sandbox",
]
