import type { AccountProfile } from "./connector.ts";
import type { Secret } from "./secret.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

/** What stands on the credentials of an integration, in answers and filters. */
export type CredentialType = "oauth2" | "token" | "service_account" | "api_key" | "role";

/** What a vendor gave: credentials, and whom they speak for. */
export interface Grant {
  /** By credential name, such as `bot_token`. Stored sealed, opened for one call. */
  readonly credentials: Readonly<Record<string, Secret>>;
  /** Read from the vendor with these credentials, never from what a browser brought. */
  readonly profile: AccountProfile;
  /** When the credentials stop working. Absent: they do not expire by themselves. */
  readonly expiresAt?: Date;
  /** Where a form takes one of several: a role, or keys instead. Otherwise that of the authorization. */
  readonly credentialType?: CredentialType;
  /** The vendor's id of the person who agreed ("U0123"), where it says so. */
  readonly grantedBy?: string;
}

/** One thing a person types in. */
export interface CredentialField {
  /** snake_case, the name under which the value comes back: "api_key". */
  readonly name: string;
  readonly label: string;
  /** Shown as dots and never read back. */
  readonly isSecret: boolean;
  /** One sentence: where it is found. */
  readonly help: string;
  /** May be left empty. */
  readonly isOptional?: boolean;
  /** The only values that are taken, such as the vendor's sites. */
  readonly choices?: readonly string[];
}

/** Something a person sets up at the vendor before the form is sent: an ARN to trust, an external id. */
export interface SetupFact {
  readonly name: string;
  readonly label: string;
  /** Shown to be copied. Never a secret. */
  readonly value: string;
  readonly help: string;
}

/** By field name; a value that the form left empty is absent. Each is 1 to 16,384 characters. */
export type FieldValues = Readonly<Record<string, Secret>>;

/**
 * The person is sent to the vendor and comes back with a code. The service makes and checks the
 * state, and keeps the PKCE verifier.
 */
export interface OAuth2Authorization {
  readonly kind: "oauth2";
  readonly credentialType: CredentialType;
  /** The vendor checks `code_challenge` (S256). */
  readonly hasPkce: boolean;
  /** The vendor's page. Pure. */
  begin(input: {
    readonly state: string;
    readonly redirectUri: string;
    /** base64url(SHA-256(verifier)); present when `hasPkce`. */
    readonly codeChallenge?: string;
  }): string;
  /** Exchanges the code, once. Throws ConnectorError; nothing is stored then. */
  complete(
    input: {
      readonly code: string;
      /** The very address that `begin` was given. */
      readonly redirectUri: string;
      readonly codeVerifier?: string;
    },
    options: Abortable,
  ): Promise<Grant>;
}

/**
 * An app is installed at the vendor, which sends the person back with an id that anybody could have
 * typed: `complete` reads the account with the person's code, and refuses an id that is not theirs.
 */
export interface InstallationAuthorization {
  readonly kind: "installation";
  readonly credentialType: CredentialType;
  begin(input: { readonly state: string; readonly redirectUri: string }): string;
  /**
   * Where the app is installed already, the vendor may send nobody back from the page of `begin`: this
   * page does, without an id.
   */
  beginInstalled?(input: { readonly state: string; readonly redirectUri: string }): string;
  complete(
    input: {
      /** Undefined after `beginInstalled`: then it is the one installation that is the person's. */
      readonly installationId: string | undefined;
      /** Proves who the person is. The service refuses a callback without one. */
      readonly code: string;
      readonly redirectUri: string;
    },
    options: Abortable,
  ): Promise<Grant>;
}

/** The person brings a key from the vendor. `complete` asks the vendor about it before it is stored. */
export interface ApiKeyAuthorization {
  readonly kind: "api_key";
  readonly credentialType: CredentialType;
  readonly fields: readonly CredentialField[];
  complete(input: { readonly values: FieldValues }, options: Abortable): Promise<Grant>;
}

/**
 * The person lets our own identity in, under a condition that names an id which we made: it stops
 * one customer from entering another customer's account through us (the confused deputy). `complete`
 * must refuse a trust that also works without the id.
 */
export interface RoleAuthorization {
  readonly kind: "role";
  readonly credentialType: CredentialType;
  readonly fields: readonly CredentialField[];
  /** What to set up at the vendor, for this one integration. Pure. */
  begin(input: { readonly externalId: string }): {
    readonly setup: readonly SetupFact[];
    /** A page of the vendor that does it in one click. */
    readonly url?: string;
  };
  complete(
    input: { readonly values: FieldValues; readonly externalId: string },
    options: Abortable,
  ): Promise<Grant>;
}

/** How an account of this vendor is connected. */
export type Authorization =
  | OAuth2Authorization
  | InstallationAuthorization
  | ApiKeyAuthorization
  | RoleAuthorization;

/** New credentials for old ones, before these expire. */
export interface Refresh {
  /** How long before `expiresAt` the service refreshes. */
  readonly beforeExpiryMs: number;
  /**
   * The vendor takes the refresh token once: when its answer is lost the connection has to be made
   * anew, and the service says so instead of trying again.
   */
  readonly isSingleUse: boolean;
  /**
   * One attempt. The answer replaces credentials of the same names and is stored before it is used.
   * `unavailable` and `rate_limited` mean that the old credentials are still good; `uncertain` that
   * nobody knows; `unauthorized` that they are not.
   */
  run(
    connection: { readonly credentials: Readonly<Record<string, Secret>> },
    options: Abortable,
  ): Promise<Pick<Grant, "credentials" | "expiresAt">>;
}
