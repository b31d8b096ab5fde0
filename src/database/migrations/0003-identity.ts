import type { Migration } from "../migrate.ts";

/**
 * People, their memberships and what they sign in with. `directory_version` orders what the
 * directory (Clerk) told about a thing; null where only its id is known yet. It is compared byte by
 * byte, so it is collated "C".
 */
export const identity: Migration = {
  name: "0003-identity",
  sql: `
    -- The directory keeps slugs unique; told out of order, two organizations may share one for a moment.
    alter table organizations drop constraint organizations_slug_key;
    alter table organizations
      add column directory_version text collate "C",
      add column deleted_at timestamptz,
      add column company_size text check (company_size in ('startup', 'small', 'medium', 'large', 'enterprise')),
      add column team_size text check (team_size in ('1-5', '6-20', '21-50', '51-100', '100+')),
      add column use_cases text[] not null default '{}',
      add column observability_stack text[] not null default '{}',
      add column metadata_completed_at timestamptz,
      add column first_connection_at timestamptz,
      add column first_answer_at timestamptz,
      -- Chat users may be matched to members by verified e-mail.
      add column allows_email_match boolean not null default false;

    -- A person may belong to several organizations, so this is no tenant table.
    create table users (
      id uuid primary key,
      clerk_user_id text unique,
      email text,
      is_email_verified boolean not null default false,
      name text not null default '',
      directory_version text collate "C",
      deleted_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create index users_by_email on users (lower(email)) where is_email_verified and deleted_at is null;

    insert into users (id, name) values ('00000000-0000-7000-8000-000000000002', 'Local admin');

    -- One row for each membership the directory ever told of: a person who left and came back has two.
    create table memberships (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      user_id uuid not null references users (id),
      clerk_membership_id text unique,
      role text not null,
      directory_version text collate "C",
      deleted_at timestamptz,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now(),
      unique (id, organization_id)
    );
    create index memberships_of_user on memberships (organization_id, user_id) where deleted_at is null;

    insert into memberships (id, organization_id, user_id, role) values (
      '00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-000000000001',
      '00000000-0000-7000-8000-000000000002', 'org:admin'
    );

    -- What a custom role of the directory may do here, and what members may do beyond the usual.
    create table role_mappings (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      role text not null,
      permissions text[] not null,
      updated_at timestamptz not null default now(),
      unique (organization_id, role),
      unique (id, organization_id)
    );

    -- Ids of the directory's deliveries: each is applied once.
    create table directory_deliveries (
      id text primary key,
      event_type text not null,
      outcome text not null check (outcome in ('applied', 'outdated', 'ignored')),
      received_at timestamptz not null
    );
    create index directory_deliveries_received_at on directory_deliveries (received_at);

    create table login_links (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      user_id uuid not null references users (id),
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      unique (id, organization_id)
    );

    create table local_sessions (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      user_id uuid not null references users (id),
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz,
      unique (id, organization_id)
    );

    -- A chat account that acts as a member.
    create table chat_users (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      integration_id uuid not null,
      chat_user_id text not null,
      chat_user_name text not null,
      user_id uuid not null references users (id),
      method text not null check (method in ('link', 'email')),
      created_at timestamptz not null,
      unique (organization_id, integration_id, chat_user_id),
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );

    create table chat_links (
      id uuid primary key,
      organization_id uuid not null references organizations (id),
      integration_id uuid not null,
      chat_user_id text not null,
      chat_user_name text not null,
      workspace_name text not null,
      token_hash bytea not null unique,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      used_at timestamptz,
      unique (id, organization_id),
      foreign key (organization_id, integration_id) references integrations (organization_id, id)
    );

    alter table service_tokens add column created_by uuid references users (id);
    create index service_tokens_recent on service_tokens (organization_id, created_at desc);
  `,
};
