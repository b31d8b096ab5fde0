import type { Migration } from "../migrate.ts";

/**
 * The tables of the first service. Every tenant table carries organization_id and a composite key
 * (organization_id, id) that others refer to, so that no row can point into another organization.
 */
export const foundation: Migration = {
  name: "0001-foundation",
  sql: `
    create table organizations (
      id uuid primary key,
      clerk_org_id text unique,
      name text not null,
      slug text not null unique,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );

    -- The one organization of local mode, until a directory brings others.
    insert into organizations (id, name, slug)
    values ('00000000-0000-7000-8000-000000000001', 'Local', 'local');

    create table service_tokens (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      name text not null,
      token_hash bytea not null unique,
      scopes text[] not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz,
      unique (id, organization_id)
    );

    create table integrations (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      user_id uuid,
      connector_type text not null,
      label text not null default '',
      status text not null default 'active' check (
        status in ('active', 'inactive', 'pending', 'not_started', 'suspended', 'deleted')
      ),
      bot_id text,
      connector_user_id text,
      connector_organization_id text not null,
      metadata jsonb not null default '{}',
      health_status text not null default 'unknown' check (
        health_status in ('healthy', 'degraded', 'expired', 'revoked', 'unknown')
      ),
      health_detail text,
      health_checked_at timestamptz,
      last_success_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      last_used_at timestamptz,
      unique (id, organization_id)
    );
    -- One account belongs to one organization at a time.
    create unique index integrations_live_account on integrations (connector_type, connector_organization_id)
      where status <> 'deleted';

    create table integration_credentials (
      id uuid primary key,
      organization_id uuid not null,
      integration_id uuid not null,
      credential_type text not null,
      version integer not null,
      format smallint not null default 1,
      kek_id text not null,
      wrapped_dek bytea not null,
      ciphertext bytea not null,
      created_at timestamptz not null default now(),
      rotated_at timestamptz,
      expires_at timestamptz,
      unique (integration_id, credential_type),
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );

    -- Proof, for each key ever used, that the key at hand is that key.
    create table key_canaries (
      kek_id text primary key,
      sealed bytea not null,
      created_at timestamptz not null default now()
    );

    -- What vendors sent, before it is understood. organization_id is null while no integration
    -- knows the account; such rows are visible to the system only.
    create table inbox (
      id uuid primary key,
      organization_id uuid references organizations (id),
      connector_type text not null,
      account_id text not null,
      delivery_id text not null,
      message_key text,
      order_key text not null,
      kind text not null,
      body bytea not null,
      state text not null default 'stored' check (state in ('stored', 'handled', 'ignored', 'dead')),
      detail text,
      received_at timestamptz not null default now(),
      handled_at timestamptz,
      unique (connector_type, delivery_id),
      unique (connector_type, message_key)
    );
    create index inbox_received_at on inbox (received_at);
    -- Three times faster than the default; not every build of PostgreSQL has it.
    do $$ begin
      alter table inbox alter column body set compression lz4;
    exception when feature_not_supported then null;
    end $$;

    create table channels (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      integration_id uuid not null,
      external_id text not null,
      kind text not null,
      monitoring text not null default 'off' check (monitoring in ('off', 'people', 'alerts')),
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (integration_id, external_id),
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );

    create table conversations (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      integration_id uuid,
      surface text not null check (surface in ('slack', 'grpc', 'console')),
      -- "team:channel:thread" in Slack; the conversation's own id elsewhere.
      external_key text not null,
      channel_id text,
      thread_id text,
      -- Where a refused post goes instead: the person who asked.
      fallback_channel_id text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (organization_id, surface, external_key),
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );

    create table messages (
      id uuid primary key,
      organization_id uuid not null,
      conversation_id uuid not null,
      -- The surface's own id of the message, or the sender's idempotency key.
      external_id text,
      author_kind text not null check (author_kind in ('person', 'agent', 'bot', 'service')),
      author_id text not null,
      author_name text,
      text text not null,
      -- The turn that this is an answer in, and the SHA-256 of its text in hex: one turn says one thing once.
      turn_id uuid,
      text_hash text,
      sent_at timestamptz not null,
      created_at timestamptz not null default now(),
      unique (conversation_id, external_id),
      unique (turn_id, text_hash),
      unique (id, organization_id),
      foreign key (organization_id, conversation_id) references conversations (organization_id, id)
    );
    -- Columns that others refer to lead with id: led by organization_id, the planner takes them for a
    -- whole organization's rows while a table is young.
    create index messages_of_conversation on messages (conversation_id, id);

    create table turns (
      id uuid primary key,
      organization_id uuid not null,
      conversation_id uuid not null,
      message_id uuid not null unique,
      trace_id text not null unique,
      state text not null default 'queued' check (
        state in ('queued', 'running', 'answered', 'failed', 'cancelled')
      ),
      agent text,
      -- Why there is no answer, for the log and the console; people were told a plain sentence.
      failure text,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      finished_at timestamptz,
      unique (id, organization_id),
      foreign key (organization_id, conversation_id) references conversations (organization_id, id),
      foreign key (organization_id, message_id) references messages (organization_id, id)
    );
    create index turns_of_conversation on turns (conversation_id, id);

    alter table messages add foreign key (organization_id, turn_id) references turns (organization_id, id);

    -- The one way out: what is to be posted, and what became of it.
    create table posts (
      id uuid primary key,
      organization_id uuid not null,
      conversation_id uuid not null,
      message_id uuid not null,
      part integer not null,
      text text not null,
      -- 'fallback' once the conversation's channel refused it: it goes to the person who asked.
      target text not null default 'conversation' check (target in ('conversation', 'fallback')),
      state text not null default 'waiting' check (state in ('waiting', 'posting', 'posted', 'failed')),
      -- Set before an attempt: from then on the post may exist at the vendor.
      attempted_at timestamptz,
      external_id text,
      failure text,
      created_at timestamptz not null default now(),
      posted_at timestamptz,
      unique (message_id, part),
      unique (id, organization_id),
      foreign key (organization_id, conversation_id) references conversations (organization_id, id),
      foreign key (organization_id, message_id) references messages (organization_id, id)
    );
    create index posts_of_conversation on posts (conversation_id, id);
  `,
};
