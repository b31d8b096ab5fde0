import type { Secret, VendorFetch } from "@infragpt/connector-kit";

/** How to reach one GitHub App. */
export interface GitHubConfig {
  readonly appId: string;
  /** PEM, PKCS#1 or PKCS#8, with real line ends. */
  readonly privateKey: Secret;
  /** With an OAuth client and a slug people can install the app from here. */
  readonly clientId?: string;
  readonly clientSecret?: Secret;
  /** The app's name in addresses: "infragpt". */
  readonly appSlug?: string;
  /** Several while one is being replaced. Without any no webhook is served. */
  readonly webhookSecrets: readonly Secret[];
  /** "https://api.github.com", or "https://<host>/api/v3" of GitHub Enterprise Server; no slash at its end. */
  readonly apiUrl: string;
  /** "https://github.com"; no slash at its end. */
  readonly webUrl: string;
  /** The deadline of one call. */
  readonly callTimeoutMs: number;
}

export interface GitHubDeps {
  /** For addresses that GitHub's answers name, such as where logs are kept. */
  readonly guardedFetch: VendorFetch;
  readonly clock?: { now(): Date };
  /** From 0 to 1, like Math.random: it spreads looks for missed deliveries. */
  readonly random?: () => number;
  /** Between two looks; it ends at once, without rejecting, when the signal aborts. */
  readonly pause?: (pauseMs: number, options: Abortable) => Promise<void>;
}

export interface Abortable {
  readonly signal: AbortSignal;
}
