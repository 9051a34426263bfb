"""`python -m adapters.cli`."""

from adapters.cli import app

app()
