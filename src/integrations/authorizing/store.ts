import { sql } from "kysely";
import type { DatabaseTransaction } from "#database";
import type { SealedCredential } from "../store.ts";

export interface AuthorizationState {
  readonly id: string;
  readonly organizationId: string;
  readonly connectorId: string;
  /** Undefined: the account's name. */
  readonly label: string | undefined;
  readonly principalId: string;
  readonly userId: string | undefined;
  readonly redirectUri: string;
  readonly externalId: string | undefined;
  readonly codeVerifier: Omit<SealedCredential, "credentialType" | "version"> | undefined;
}

export interface NewAuthorizationState extends AuthorizationState {
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
  readonly at: Date;
  readonly expiresAt: Date;
}

export async function insertState(
  tx: DatabaseTransaction,
  organizationId: string,
  state: NewAuthorizationState,
): Promise<void> {
  await tx
    .insertInto("authorization_states")
    .values({
      id: state.id,
      organization_id: organizationId,
      state_hash: state.stateHash,
      connector_type: state.connectorId,
      label: state.label ?? "",
      principal_id: state.principalId,
      user_id: state.userId ?? null,
      browser_hash: state.browserHash,
      redirect_uri: state.redirectUri,
      external_id: state.externalId ?? null,
      format: state.codeVerifier?.format ?? null,
      kek_id: state.codeVerifier?.kekId ?? null,
      wrapped_dek: state.codeVerifier?.wrappedDek ?? null,
      ciphertext: state.codeVerifier?.ciphertext ?? null,
      created_at: state.at,
      expires_at: state.expiresAt,
    })
    .execute();
}

/** Who came back: the principal that began, or the browser that has its cookie. */
export type StateHolder =
  | { readonly kind: "principal"; readonly organizationId: string; readonly principalId: string }
  | { readonly kind: "browser"; readonly browserHash: Buffer };

/**
 * Uses a state up, if it is of this connector, open and of this holder. Of two that come at once, one
 * gets it. A system question where only a browser is known: the state says whose it is.
 */
export async function takeState(
  tx: DatabaseTransaction,
  input: { stateHash: Buffer; connectorId: string; holder: StateHolder; at: Date },
): Promise<AuthorizationState | undefined> {
  let query = tx
    .updateTable("authorization_states")
    .set({ used_at: input.at })
    .where("state_hash", "=", input.stateHash)
    .where("connector_type", "=", input.connectorId)
    .where("used_at", "is", null)
    .where("expires_at", ">", input.at);
  const { holder } = input;
  query =
    holder.kind === "browser"
      ? query.where("browser_hash", "=", holder.browserHash)
      : query
          .where("organization_id", "=", holder.organizationId)
          .where("principal_id", "=", holder.principalId);
  const row = await query
    .returning([
      "id",
      "organization_id",
      "connector_type",
      "label",
      "principal_id",
      "user_id",
      "redirect_uri",
      "external_id",
      "format",
      "kek_id",
      "wrapped_dek",
      "ciphertext",
    ])
    .executeTakeFirst();
  if (!row) return undefined;
  const { format, kek_id: kekId, wrapped_dek: wrappedDek, ciphertext } = row;
  const isSealed = format !== null && kekId !== null && wrappedDek !== null && ciphertext !== null;
  return {
    id: row.id,
    organizationId: row.organization_id,
    connectorId: row.connector_type,
    label: row.label === "" ? undefined : row.label,
    principalId: row.principal_id,
    userId: row.user_id ?? undefined,
    redirectUri: row.redirect_uri,
    externalId: row.external_id ?? undefined,
    codeVerifier: isSealed ? { format, kekId, wrappedDek, ciphertext } : undefined,
  };
}

/** Forgets what can no longer be used and returns how many states of the organization are still open. */
export async function countOpenStates(
  tx: DatabaseTransaction,
  organizationId: string,
  at: Date,
): Promise<number> {
  await tx
    .deleteFrom("authorization_states")
    .where("organization_id", "=", organizationId)
    .where("expires_at", "<=", at)
    .execute();
  const { rows } = await sql<{ open: number }>`
    select count(*)::integer as open from authorization_states
    where organization_id = ${organizationId} and used_at is null`.execute(tx);
  return rows[0]?.open ?? 0;
}
