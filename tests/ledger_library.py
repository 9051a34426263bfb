"""Every story there is."""

from tests import ledger_hold_stories, ledger_move_stories
from tests.ledger_stories import STORIES

NAMES = [name for module in (ledger_move_stories, ledger_hold_stories) for name in vars(module) if name in STORIES]
