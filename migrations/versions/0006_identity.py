"""Identity: people, how they sign in, what they are members of, their sessions, and what they were sent.

Personal data stands here only sealed with a person's own key (`bytea` columns named by what they hold) or as a keyed
digest by which it is found (`*_index`). Whoever keeps a person's standing in memory hears of every change that
matters by NOTIFY, whichever way the change was made.
"""

from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
create table person (
    id uuid primary key,
    status text not null default 'active',
    name bytea,
    mail bytea,
    mail_index bytea,
    mail_verified_at timestamptz,
    locale text not null default 'id',
    reason bytea,
    survivor uuid references person (id),
    created_at timestamptz not null default clock_timestamp(),
    codes_tried integer not null default 0,
    codes_since timestamptz,
    constraint person_status check (status in ('active', 'banned', 'merged', 'erased')),
    constraint person_locale check (locale in ('id', 'en')),
    constraint person_merged_into check ((status = 'merged') = (survivor is not null))
) with (fillfactor = 70);
create index person_by_mail on person (mail_index) where mail_index is not null;
comment on table person is 'One human being; the ledger knows them by this id alone.';
create index person_merged_into_survivor on person (survivor) where survivor is not null;

create table merge_request (
    id uuid primary key,
    survivor uuid not null references person (id),
    merged uuid not null references person (id),
    reason bytea,
    asked_by uuid not null references person (id),
    asked_at timestamptz not null,
    decided_by uuid references person (id),
    decided_at timestamptz,
    approved boolean,
    constraint merge_request_two_people check (survivor <> merged),
    constraint merge_request_four_eyes check (decided_by <> asked_by or not approved)
) with (fillfactor = 70);
create unique index merge_request_open on merge_request (merged) where decided_at is null;

create table sign_in_identity (
    id uuid primary key,
    person uuid not null references person (id),
    provider text not null,
    subject_index bytea not null,
    subject bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    last_used_at timestamptz,
    constraint sign_in_identity_subject unique (provider, subject_index),
    constraint sign_in_identity_provider check (provider in ('password', 'google', 'twitch', 'telegram'))
) with (fillfactor = 70);
create index sign_in_identity_of_person on sign_in_identity (person);
comment on table sign_in_identity is 'One way in which a person may sign in. A password''s subject is its address.';

create table password (
    person uuid primary key references person (id),
    hash text not null,
    changed_at timestamptz not null default clock_timestamp()
) with (fillfactor = 70);

create table totp (
    person uuid primary key references person (id),
    secret bytea,
    offered bytea,
    confirmed_at timestamptz,
    last_step bigint not null default 0,
    constraint totp_confirmed check ((secret is null) = (confirmed_at is null))
) with (fillfactor = 50);

create table recovery_code (
    person uuid not null references person (id),
    digest bytea not null,
    used_at timestamptz,
    constraint recovery_code_key primary key (person, digest)
);

create table passkey (
    credential bytea primary key,
    person uuid not null references person (id),
    public_key bytea not null,
    sign_count bigint not null,
    name bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    last_used_at timestamptz
) with (fillfactor = 70);
create index passkey_of_person on passkey (person);

create table membership (
    id uuid primary key,
    person uuid not null references person (id),
    kind text not null,
    brand uuid,
    role text,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    constraint membership_kind check (kind in ('player', 'streamer', 'brand', 'staff')),
    constraint membership_role check (case kind
        when 'brand' then brand is not null and role in ('owner', 'manager', 'viewer')
        when 'staff' then brand is null and role in ('super_admin', 'admin', 'moderator', 'support')
        else brand is null and role is null end)
) with (fillfactor = 70);
create unique index membership_once on membership (person, kind, coalesce(brand, person)) where ended_at is null;
create index membership_of_brand on membership (brand) where ended_at is null and brand is not null;
create index membership_of_staff on membership (role) where ended_at is null and kind = 'staff';

create table staff_role (
    role text primary key,
    permissions text[] not null,
    constraint staff_role_known check (role in ('super_admin', 'admin', 'moderator', 'support'))
);
create table staff_network (
    network cidr primary key,
    note text not null,
    added_by uuid references person (id),
    added_at timestamptz not null default clock_timestamp()
);
comment on table staff_network is 'From where staff may work. Empty: from nowhere but this machine itself.';

create table session (
    id uuid primary key,
    person uuid not null references person (id),
    portal text not null,
    created_at timestamptz not null,
    authenticated_at timestamptz not null,
    second_factor_at timestamptz,
    stepped_up_at timestamptz,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    impersonator uuid references person (id),
    through uuid references session (id),
    origin bytea,
    constraint session_portal check (portal in ('brand', 'streamer', 'player', 'admin')),
    constraint session_end check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 70);
create index session_of_person on session (person, created_at) where ended_at is null;
create index session_over on session (least(ended_at, expires_at));
create index session_through on session (through) where through is not null;
create index session_of_impersonator on session (impersonator) where ended_at is null and impersonator is not null;
comment on table session is 'One sign-in on one device; the family of its refresh tokens.';

create table refresh_token (
    digest bytea primary key,
    session uuid not null references session (id),
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    spent_at timestamptz
) with (fillfactor = 70);
create index refresh_token_of_session on refresh_token (session);

create table ticket (
    digest bytea primary key,
    purpose text not null,
    person uuid,
    session uuid references session (id),
    body bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    tries integer not null default 0
) with (fillfactor = 70);
create index ticket_of_person on ticket (person, purpose) where person is not null;
create index ticket_of_session on ticket (session) where session is not null;
create index ticket_expired on ticket (expires_at);
comment on table ticket is 'A single-use token for one purpose, by its digest: a link, a code, a challenge, a proof.';

create table mail_request (
    id uuid primary key,
    kind text not null,
    mail_index bytea not null,
    person uuid,
    body bytea,
    locale text not null,
    created_at timestamptz not null default clock_timestamp(),
    done_at timestamptz
) with (fillfactor = 70);
create index mail_request_by_mail on mail_request (mail_index);
create index mail_request_waiting on mail_request (created_at) where done_at is null;
comment on table mail_request is 'Somebody asked for a mail. Whether the address is known a job finds out later.';

create table letter (
    id uuid primary key,
    person uuid not null,
    template text not null,
    locale text not null,
    body bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    next_at timestamptz not null default clock_timestamp(),
    attempts integer not null default 0,
    sent_at timestamptz,
    failed_at timestamptz
) with (fillfactor = 70);
create index letter_due on letter (next_at) where sent_at is null and failed_at is null;
create index letter_of_person on letter (person);

create function tell_standing() returns trigger language plpgsql as $$
declare
    concerned text;
    changed jsonb := to_jsonb(case tg_op when 'DELETE' then old else new end);
begin
    foreach concerned in array tg_argv loop
        if concerned = '*' then
            perform pg_notify('standing', '*');
        elsif changed ->> concerned is not null then
            perform pg_notify('standing', changed ->> concerned);
        end if;
    end loop;
    if tg_op = 'UPDATE' and tg_argv[0] = 'person' and to_jsonb(old) ->> 'person' <> to_jsonb(new) ->> 'person' then
        perform pg_notify('standing', to_jsonb(old) ->> 'person');
    end if;
    return null;
end $$;

create trigger person_tells after update of status, mail_verified_at, survivor on person
    for each row execute function tell_standing('id', 'survivor');
create trigger membership_tells after insert or update or delete on membership
    for each row execute function tell_standing('person');
create trigger session_tells after delete or update of person, portal, created_at, authenticated_at, second_factor_at,
    stepped_up_at, expires_at, ended_at, end_reason, impersonator, through on session
    for each row execute function tell_standing('person');
create trigger staff_role_tells after insert or update or delete on staff_role
    for each row execute function tell_standing('*');
create trigger staff_network_tells after insert or update or delete on staff_network
    for each row execute function tell_standing('*');
"""

USUAL = {
    "super_admin": "manage_users, verify_brands, verify_streamers, manage_campaigns, view_financials, approve_payouts,"
    " moderate_content, access_audit, manage_disputes, configure_system",
    "admin": "manage_users, verify_brands, verify_streamers, manage_campaigns, view_financials, approve_payouts,"
    " moderate_content, access_audit, manage_disputes",
    "moderator": "verify_brands, verify_streamers, moderate_content",
    "support": "manage_users, view_financials",
}

GRANTS = {
    "person": ("id, status, name, mail, mail_index, mail_verified_at, locale, reason, survivor, created_at",
               "status, name, mail, mail_index, mail_verified_at, locale, reason, survivor, codes_tried, codes_since"),
    "merge_request": ("*", "decided_by, decided_at, approved"),
    "totp": ("*", "secret, offered, confirmed_at, last_step"),
    "password": ("*", "hash, changed_at"),
    "recovery_code": ("*", "used_at"),
    "passkey": ("*", "sign_count, name, last_used_at"),
    "sign_in_identity": ("*", "person, last_used_at, subject, subject_index"),
    "membership": ("*", "person, role, ended_at"),
    "staff_role": ("*", "permissions"),
    "staff_network": ("*", "note"),
    "session": ("*", "second_factor_at, stepped_up_at, authenticated_at, last_used_at, ended_at, end_reason"),
    "refresh_token": ("*", "spent_at"),
    "ticket": ("*", "used_at, tries"),
    "mail_request": ("*", "done_at, body"),
    "letter": ("*", "next_at, attempts, sent_at, failed_at, body"),
}  # fmt: skip
"""What the application may insert (`*`: all) and update."""

DELETES = ["sign_in_identity", "password", "totp", "recovery_code", "passkey", "staff_network", "refresh_token",
           "ticket", "mail_request", "letter", "session"]  # fmt: skip


def upgrade() -> None:
    for statement in TABLES.strip().removesuffix(";").split(";\n\n"):
        for part in [statement] if "$$" in statement else statement.split(";\n"):
            op.execute(part)
    for role, permissions in USUAL.items():
        op.execute(f"insert into staff_role values ('{role}', '{{{permissions}}}')")
    app = op.get_bind().dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for table, (inserted, updated) in GRANTS.items():
        insert = "insert" if inserted == "*" else f"insert ({inserted})"
        op.execute(f"grant select, {insert}, update ({updated}) on {table} to {app}")
    for table in DELETES:
        op.execute(f"grant delete on {table} to {app}")


def downgrade() -> None:
    raise NotImplementedError("people are never taken down")
