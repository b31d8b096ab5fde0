import { type KeyObject, generateKeyPairSync, randomBytes } from "node:crypto";

import type { FakeGitHubOptions, Permissions } from "./model.ts";

/** The one App that this GitHub knows. */
export interface AppIdentity {
  readonly appId: string;
  readonly appSlug: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookSecret: string;
  readonly privateKey: string;
  readonly privateKeyPkcs8: string;
  readonly publicKey: KeyObject;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  /** Login of the account that its writes come from. */
  readonly botLogin: string;
}

const STANDARD_PERMISSIONS: Permissions = {
  metadata: "read",
  contents: "read",
  issues: "write",
  pull_requests: "write",
  actions: "write",
  deployments: "read",
  members: "read",
};

const EVENTS = ["deployment_status", "issues", "pull_request", "push", "workflow_run"];

export function makeAppIdentity(options: FakeGitHubOptions): AppIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const { appSlug = "infragpt-test" } = options;
  return {
    appId: options.appId ?? "424242",
    appSlug,
    clientId: options.clientId ?? "Iv23fakeclient",
    clientSecret: options.clientSecret ?? randomBytes(20).toString("hex"),
    webhookSecret: options.webhookSecret ?? randomBytes(20).toString("hex"),
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }),
    privateKeyPkcs8: privateKey.export({ type: "pkcs8", format: "pem" }),
    publicKey,
    permissions: { metadata: "read", ...(options.permissions ?? STANDARD_PERMISSIONS) },
    events: EVENTS,
    botLogin: `${appSlug}[bot]`,
  };
}
