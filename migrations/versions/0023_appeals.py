"""Which minutes keep a campaign's escrow from returning is found without looking at all of them."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

AWAITED = """
create index earning_minute_awaited on earning_minute (participation)
    where state in ('open', 'review', 'deciding', 'appealed') or state = 'unpaid' and reason = 'evidence_rejected'
"""


def upgrade() -> None:
    op.execute(AWAITED)


def downgrade() -> None:
    raise NotImplementedError("an index of what is owed is never taken down")
