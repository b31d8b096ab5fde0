import type { Migration } from "../migrate.ts";

/**
 * Row-level security under every tenant table. A tenant transaction runs as infragpt_app, a role
 * that owns nothing and sees one organization; the owner, which migrations and system transactions
 * run as, sees all. A later migration secures its tables with
 * `select secure_tenant_table('new_table')`; a test fails on a table that was forgotten.
 *
 * Roles belong to the server, not to the database. Where the login user may not create roles, an
 * administrator does it once: `create role infragpt_app nologin; grant infragpt_app to <user>`.
 */
export const rowLevelSecurity: Migration = {
  name: "0004-row-level-security",
  sql: `
    do $$
    declare
      -- Since PostgreSQL 16 to be a member is not enough to take a role on.
      v_right constant text :=
        case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
    begin
      -- Two databases of one server may be migrated at the same moment.
      if to_regrole('infragpt_app') is null then
        begin
          create role infragpt_app nologin nosuperuser nocreatedb nocreaterole nobypassrls;
        exception when duplicate_object or unique_violation then null;
        end;
      end if;
      if exists (select from pg_roles where rolname = 'infragpt_app' and (rolsuper or rolbypassrls)) then
        raise exception 'the role infragpt_app bypasses row-level security: alter role infragpt_app nosuperuser nobypassrls';
      end if;
      if not pg_has_role(current_user, 'infragpt_app', v_right) then
        execute format('grant infragpt_app to %I', current_user);
      end if;
    exception when insufficient_privilege then
      raise exception 'the database user % may not create or take on the role infragpt_app', current_user
        using errcode = 'insufficient_privilege', hint = format(
          'Run as an administrator: create role infragpt_app nologin; grant infragpt_app to %I;',
          current_user
        );
    end $$;

    grant usage on schema public to infragpt_app;

    -- The organization of this transaction; null outside a tenant transaction, which matches no row.
    -- After a commit the setting is '', not null.
    create function current_organization_id() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.organization_id', true), '')::uuid;

    -- Puts a table under row-level security; p_column says which organization a row belongs to.
    create function secure_tenant_table(
      p_table regclass,
      p_privileges text default 'select, insert, update, delete',
      p_column name default 'organization_id'
    ) returns void
    language plpgsql
    as $$ begin
      execute format('alter table %s enable row level security', p_table);
      execute format('alter table %s force row level security', p_table);
      execute format('drop policy if exists tenant on %s', p_table);
      execute format(
        'create policy tenant on %s to infragpt_app
         using (%I = current_organization_id()) with check (%I = current_organization_id())',
        p_table, p_column, p_column
      );
      -- With FORCE an owner that is no superuser would see nothing either.
      execute format('drop policy if exists system on %s', p_table);
      execute format(
        'create policy system on %s to %s using (true) with check (true)',
        p_table, (select relowner::regrole from pg_class where oid = p_table)
      );
      execute format('revoke all on %s from infragpt_app', p_table);
      if p_privileges <> '' then
        execute format('grant %s on %s to infragpt_app', p_privileges, p_table);
      end if;
    end $$;
    revoke all on function secure_tenant_table(regclass, text, name) from public;

    select secure_tenant_table(pg_class.oid::regclass)
    from pg_class
    join pg_attribute on attrelid = pg_class.oid and attname = 'organization_id' and not attisdropped
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p');

    select secure_tenant_table('organizations', 'select, update', 'id');

    -- The audit log is read by its organization and written by its function alone.
    select secure_tenant_table('audit_entries', 'select');
    select secure_tenant_table('audit_heads', '');
    select secure_tenant_table('audit_signed_heads', '');
    grant execute on function audit_append(uuid, timestamptz, text) to infragpt_app;

    -- People belong to no organization: one sees its own, present and former, members.
    select secure_tenant_table('users', 'select', 'id');
    drop policy tenant on users;
    create policy tenant on users to infragpt_app
      using (exists (select from memberships where memberships.user_id = users.id));
  `,
};
