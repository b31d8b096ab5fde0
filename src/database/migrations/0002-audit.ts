import type { Migration } from "../migrate.ts";

/**
 * The audit log: one hash chain for each organization, written by one function and changed by
 * nobody. Rows outlive their organization, so nothing here refers to it.
 */
export const audit: Migration = {
  name: "0002-audit",
  sql: `
    -- Where each chain ends. Its row is the lock that puts an organization's entries in a line.
    create table audit_heads (
      organization_id uuid primary key,
      seq bigint not null,
      hash bytea not null
    ) with (fillfactor = 50);

    create table audit_entries (
      organization_id uuid not null,
      -- 1 for the first, and no number is left out.
      seq bigint not null,
      at timestamptz not null,
      -- Canonical JSON (RFC 8785), kept as the very text that was hashed.
      body text not null check (octet_length(body) <= 32768),
      prev_hash bytea not null,
      hash bytea not null,
      action text not null generated always as ((body::jsonb) ->> 'action') stored,
      actor_id text generated always as ((body::jsonb) #>> '{actor,id}') stored,
      primary key (organization_id, seq)
    );
    create index audit_entries_at on audit_entries (organization_id, at);
    create index audit_entries_action on audit_entries (organization_id, action, seq);
    create index audit_entries_actor on audit_entries (organization_id, actor_id, seq);

    -- The Ed25519 key that signs heads, sealed by the keyring as credentials are.
    create table audit_signing_keys (
      id uuid primary key,
      format smallint not null,
      kek_id text not null,
      wrapped_dek bytea not null,
      ciphertext bytea not null,
      created_at timestamptz not null,
      retired_at timestamptz
    );
    create unique index audit_signing_keys_one_in_use on audit_signing_keys ((true))
      where retired_at is null;

    create table audit_signed_heads (
      organization_id uuid not null,
      seq bigint not null,
      hash bytea not null,
      signed_at timestamptz not null,
      key_id uuid not null references audit_signing_keys (id),
      signature bytea not null,
      primary key (organization_id, seq)
    );

    -- u32be(length) || bytes: no two lists of fields give the same bytes.
    create function audit_field(value bytea) returns bytea
    language sql immutable strict parallel safe
    return int4send(octet_length(value)) || value;

    create function audit_hash(prev bytea, organization_id uuid, seq bigint, at timestamptz, body text)
    returns bytea
    language sql immutable strict parallel safe
    return sha256(
      audit_field(convert_to('infragpt/audit/1', 'UTF8')) || audit_field(prev)
      || audit_field(convert_to(organization_id::text, 'UTF8'))
      || audit_field(convert_to(seq::text, 'UTF8'))
      || audit_field(convert_to((extract(epoch from at) * 1000000)::bigint::text, 'UTF8'))
      || audit_field(convert_to(body, 'UTF8'))
    );

    -- The only way into audit_entries. It locks the head until the caller's transaction ends.
    create function audit_append(p_organization_id uuid, p_at timestamptz, p_body text)
    returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp
    as $$
    declare
      v_at constant timestamptz := date_trunc('milliseconds', p_at);
      v_prev bytea;
      v_seq bigint;
      v_hash bytea;
    begin
      if current_setting('role') = 'infragpt_app' and p_organization_id is distinct from
        nullif(current_setting('app.organization_id', true), '')::uuid
      then
        raise exception 'an organization writes to its own audit log only'
          using errcode = 'insufficient_privilege';
      end if;
      loop
        select seq + 1, hash into v_seq, v_prev from public.audit_heads
        where organization_id = p_organization_id for update;
        exit when found;
        insert into public.audit_heads (organization_id, seq, hash)
        values (p_organization_id, 0, decode(repeat('00', 32), 'hex'))
        on conflict do nothing;
      end loop;
      v_hash := public.audit_hash(v_prev, p_organization_id, v_seq, v_at, p_body);
      insert into public.audit_entries (organization_id, seq, at, body, prev_hash, hash)
      values (p_organization_id, v_seq, v_at, p_body, v_prev, v_hash);
      update public.audit_heads set seq = v_seq, hash = v_hash
      where organization_id = p_organization_id;
      return v_seq;
    end $$;
    revoke all on function audit_append(uuid, timestamptz, text) from public;

    create function audit_refuse() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$ begin
      raise exception '% of % is refused: the audit log is append-only', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
    end $$;

    create trigger audit_entries_append_only before update or delete on audit_entries
      for each row execute function audit_refuse();
    create trigger audit_entries_not_truncated before truncate on audit_entries
      for each statement execute function audit_refuse();
    create trigger audit_signed_heads_append_only before update or delete on audit_signed_heads
      for each row execute function audit_refuse();
    create trigger audit_signed_heads_not_truncated before truncate on audit_signed_heads
      for each statement execute function audit_refuse();
    create trigger audit_heads_move_on before update on audit_heads
      for each row when (new.seq <> old.seq + 1 or new.organization_id <> old.organization_id)
      execute function audit_refuse();
    create trigger audit_heads_stay before delete on audit_heads
      for each row execute function audit_refuse();
    create trigger audit_heads_not_truncated before truncate on audit_heads
      for each statement execute function audit_refuse();
  `,
};
