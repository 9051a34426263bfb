"""Brands: what a company says of itself, who is asked to act for it, and what staff found.

Who acts for a brand is a membership, which tells every process of itself. Personal here is only to whom an open
invitation went: sealed with the key of who sent it, found by a keyed digest, and gone when the invitation is over.
That a brand keeps an owner the database holds by itself, too: whichever way the last one would go, it does not.
"""

from alembic import context, op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
create table brand (
    id uuid primary key,
    name text not null,
    industry text not null,
    size text not null,
    website text not null default '',
    contact uuid references person (id),
    billing_address text not null default '',
    tax_id text not null default '',
    currency text not null default 'IDR',
    audience text not null default '',
    categories text[] not null default '{}',
    regions text[] not null default '{}',
    budget_least bigint,
    budget_most bigint,
    budget_currency text,
    verification text not null default 'pending',
    reason text not null default '',
    decided_at timestamptz,
    revision integer not null default 1,
    created_at timestamptz not null default clock_timestamp(),
    constraint brand_size check (size in ('startup', 'small', 'medium', 'enterprise')),
    constraint brand_verification check (verification in ('pending', 'verified', 'rejected')),
    constraint brand_decided check ((verification = 'pending') = (decided_at is null)),
    constraint brand_budget check (
        num_nulls(budget_least, budget_most, budget_currency) = 3
        or (num_nulls(budget_least, budget_most, budget_currency) = 0 and 0 <= budget_least
            and budget_least <= budget_most))
) with (fillfactor = 70);
create index brand_by_verification on brand (verification, created_at, id);
create index brand_of_contact on brand (contact) where contact is not null;
comment on table brand is 'A company that advertises. Its contact is one of its members.';

alter table membership add constraint membership_of_brand_that_is foreign key (brand) references brand (id);

create table brand_invitation (
    id uuid primary key,
    brand uuid not null references brand (id),
    role text not null,
    invited_by uuid not null references person (id),
    digest bytea not null unique,
    mail bytea,
    mail_index bytea,
    state text not null default 'open',
    accepted_by uuid references person (id),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint brand_invitation_role check (role in ('owner', 'manager', 'viewer')),
    constraint brand_invitation_state check (state in ('open', 'accepted', 'declined', 'revoked')),
    constraint brand_invitation_forgets check (
        (state = 'open') = (mail is not null) and (mail is null) = (mail_index is null)),
    constraint brand_invitation_accepted check ((state = 'accepted') = (accepted_by is not null))
) with (fillfactor = 70);
create unique index brand_invitation_once on brand_invitation (brand, mail_index) where state = 'open';
create index brand_invitation_of_brand on brand_invitation (brand, id) where state = 'open';
create index brand_invitation_to on brand_invitation (mail_index) where state = 'open';
create index brand_invitation_by on brand_invitation (invited_by);
create index brand_invitation_accepted_by on brand_invitation (accepted_by) where accepted_by is not null;
create index brand_invitation_expired on brand_invitation (expires_at) where state = 'open';

create function keep_an_owner() returns trigger language plpgsql as $$
begin
    perform from brand where id = old.brand for no key update;
    if not exists (
        select from membership where brand = old.brand and kind = 'brand' and role = 'owner' and ended_at is null
    ) then
        raise exception 'brand % would have no owner', old.brand
            using errcode = 'check_violation', constraint = 'brand_keeps_an_owner';
    end if;
    return null;
end $$;

create trigger brand_keeps_an_owner after update of role, ended_at on membership for each row
    when (old.kind = 'brand' and old.role = 'owner' and old.ended_at is null
        and (new.ended_at is not null or new.role <> 'owner'))
    execute function keep_an_owner();
"""

GRANTS = {
    "brand": "select, insert (id, name, industry, size, website, contact, billing_address, tax_id, currency, audience,"
    " categories, regions, budget_least, budget_most, budget_currency, created_at), update (name, industry, size,"
    " website, contact, billing_address, tax_id, currency, audience, categories, regions, budget_least, budget_most,"
    " budget_currency, verification, reason, decided_at, revision)",
    "brand_invitation": "select, insert (id, brand, role, invited_by, digest, mail, mail_index, created_at,"
    " expires_at), update (digest, mail, mail_index, state, accepted_by, expires_at)",
}
"""What the application may do. Nothing of it is deleted: invitations forget their address instead."""


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n\n"):
        for part in [statement] if "$$" in statement else statement.split(";\n"):
            op.execute(part)
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, rights in GRANTS.items():
        op.execute(f"grant {rights} on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("brands are never taken down")
