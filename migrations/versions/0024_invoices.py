"""Invoices: numbered without a gap, never changed, and summed up from the ledger's own entries.

A number is a counter's row, locked and counted on in the unit of work that keeps the invoice: what does not commit has
taken none. To whom an invoice went stands in it as it was then: a company's name, address and tax id, no person's.
"""

from alembic import context, op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = """
create table invoice_month (
    first_day date primary key,
    since timestamptz not null,
    until timestamptz not null,
    finished_at timestamptz,
    constraint invoice_month_whole check (extract(day from first_day) = 1 and since < until)
);
create index invoice_month_unfinished on invoice_month (first_day) where finished_at is null;
comment on table invoice_month is 'Which instants are a month''s, by the site''s clock when it turned.';

create table invoice_year (
    year integer primary key,
    last integer not null,
    constraint invoice_year_counts check (last > 0)
);
comment on table invoice_year is 'The last number of a year''s invoices.';

create table invoice (
    id uuid primary key,
    year integer not null,
    number integer not null,
    brand uuid not null references brand (id),
    month date not null references invoice_month (first_day),
    currency text not null,
    issued_at timestamptz not null,
    seller_name text not null,
    seller_address text not null,
    seller_tax_id text not null,
    buyer_name text not null,
    buyer_address text not null,
    buyer_tax_id text not null,
    constraint invoice_number unique (year, number),
    constraint invoice_once unique (brand, month, currency),
    constraint invoice_number_counts check (number > 0)
);
create index invoice_of_brand on invoice (brand, year, number);
comment on table invoice is 'Append-only: what a brand spent in a month, and who both were when it was issued.';

create table invoice_line (
    invoice uuid not null references invoice (id),
    place smallint not null,
    campaign uuid not null references campaign (id),
    title text not null,
    kind text not null,
    minutes integer not null,
    net bigint not null,
    tax bigint not null,
    primary key (invoice, place),
    constraint invoice_line_once unique (invoice, campaign, kind),
    constraint invoice_line_kind check (kind in ('spent', 'given_back')),
    constraint invoice_line_sign check (
        minutes > 0 and case kind when 'spent' then least(net, tax) >= 0 else greatest(net, tax) <= 0 end)
);
create index invoice_line_of_campaign on invoice_line (campaign);
comment on table invoice_line is 'Append-only: what was set aside for a campaign''s minutes or given back.';
"""

GRANTS = {
    "invoice_month": "select, insert (first_day, since, until), update (finished_at)",
    "invoice_year": "select, insert, update (last)",
    "invoice": "select, insert",
    "invoice_line": "select, insert",
}


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n"):
        op.execute(statement)
    for table in ("invoice", "invoice_line"):
        op.execute(
            f"create trigger {table}_append_only before update or delete or truncate on {table} "
            "for each statement execute function refuse_change()"
        )
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("an invoice is never taken back")
