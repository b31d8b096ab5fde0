import type { Migration } from "../migrate.ts";

/**
 * Keys are replaced while the service runs. The index takes a lock on the credentials against
 * writes for as long as it is built: about a second for a million rows.
 */
export const keyRotation: Migration = {
  name: "0006-key-rotation",
  sql: `
    alter table key_canaries
      add column state text not null default 'active'
        check (state in ('pending', 'active', 'decrypt_only', 'retired')),
      -- Records come to this key with a new data key each, not with the one they had.
      add column makes_new_data_keys boolean not null default false,
      add column promoted_at timestamptz,
      add column retired_at timestamptz;
    update key_canaries set promoted_at = created_at;
    -- Before rotation existed, each start made the canary of its primary key: the last one is it.
    update key_canaries set state = 'decrypt_only'
      where kek_id <> (select kek_id from key_canaries order by created_at desc, kek_id desc limit 1);
    alter table key_canaries alter column state set default 'pending';
    create unique index key_canaries_one_active on key_canaries ((true)) where state = 'active';

    -- Which keys each running replica has shown to hold.
    create table key_status (
      replica_id uuid primary key,
      host text not null,
      primary_key_id text not null,
      known_key_ids text[] not null,
      seen_at timestamptz not null default now()
    );

    -- Records that their key does not open: found once, told once, left out of every later run.
    -- A new version of the record is another record.
    create table undecryptable_records (
      table_name text not null,
      record_id uuid not null,
      version integer not null,
      kek_id text not null,
      found_at timestamptz not null default now(),
      primary key (table_name, record_id, version, kek_id)
    );

    create index integration_credentials_kek_id on integration_credentials (kek_id, id);

    -- A key is retired once no record needs it; a writer that sealed before and stores after would
    -- store what nobody can read. The lock makes the retirement wait for writers under way.
    create function refuse_retired_key() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public
    as $$
    declare
      v_state text;
    begin
      select state into v_state from public.key_canaries where kek_id = new.kek_id for key share;
      if v_state = 'retired' then
        raise exception 'the encryption key % was retired', new.kek_id using errcode = 'restrict_violation';
      end if;
      return new;
    end $$;
    revoke all on function refuse_retired_key() from public;

    create trigger refuse_retired_key before insert or update of kek_id on integration_credentials
      for each row execute function refuse_retired_key();
    create trigger refuse_retired_key before insert or update of kek_id on revocation_credentials
      for each row execute function refuse_retired_key();
    create trigger refuse_retired_key before insert or update of kek_id on authorization_states
      for each row when (new.kek_id is not null) execute function refuse_retired_key();
    create trigger refuse_retired_key before insert or update of kek_id on audit_signing_keys
      for each row execute function refuse_retired_key();
  `,
};
