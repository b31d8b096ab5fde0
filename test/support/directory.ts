import assert from "node:assert/strict";
import type { App } from "#app";
import {
  membershipEvent,
  organizationEvent,
  userEvent,
  type ClerkEvent,
  type FakeClerk,
} from "../fakes/clerk/index.ts";

/** When everything began, by the fake directory's clock. */
export const DIRECTORY_START_MS = 1_750_000_000_000;

/** Tells the service an event of the directory, and sees that it is taken. */
export async function tell(service: App, clerk: FakeClerk, event: ClerkEvent): Promise<void> {
  const { headers, body } = clerk.signWebhook(event);
  const answer = await fetch(`${service.addresses.directoryWebhooks}/webhooks/clerk`, {
    method: "POST",
    headers,
    body: Buffer.from(body),
  });
  assert.equal(answer.status, 204);
}

/** "org_acme", with its people and their roles: `{ ana: "org:admin" }` is user_ana, ana@example.com. */
export async function anOrganization(
  service: App,
  clerk: FakeClerk,
  organization: { readonly id: string; readonly name: string },
  people: Readonly<Record<string, string>>,
): Promise<void> {
  const atMs = DIRECTORY_START_MS;
  await tell(service, clerk, organizationEvent("created", { ...organization, atMs }));
  for (const [name, role] of Object.entries(people)) {
    const id = `user_${name}`;
    const email = `${name}@example.com`;
    await tell(service, clerk, userEvent("created", { id, atMs, firstName: name, email }));
    await tell(service, clerk, aMembership("created", name, organization.id, role));
  }
}

export function aMembership(
  verb: "created" | "updated" | "deleted",
  name: string,
  organizationId: string,
  role = "org:member",
): ClerkEvent {
  return membershipEvent(verb, {
    id: `mem_${name}_${organizationId}`,
    organizationId,
    userId: `user_${name}`,
    atMs: DIRECTORY_START_MS + (verb === "created" ? 0 : 1),
    role,
  });
}
