import type { InboundAuthor } from "@infragpt/connector-kit";
import type { Integration } from "#integrations";
import { asAppError, type Abortable } from "#platform";
import { readAsker, type AskerDeps } from "./find-asker.ts";

/** What somebody is told who is nobody here. */
export const NOT_LINKED =
  "I do not know who you are in this service. Say `/infragpt link` to tie your chat account to your own account there; guests and people of other workspaces cannot.";

/** Answers `/infragpt link` with a one-time address, for the asker's eyes only. */
export async function linkAsker(
  deps: AskerDeps,
  integration: Integration,
  author: InboundAuthor,
  options: Abortable,
): Promise<string> {
  if (deps.identity.provider === "local") {
    return "Nobody needs to be linked here: in local mode everybody in this chat acts as the admin of this service.";
  }
  const person = await readAsker(deps, integration, author, options);
  if (!person) return NOT_LINKED;
  try {
    const address = await deps.identity.chat.createLink({
      organizationId: integration.organizationId,
      integrationId: integration.id,
      workspaceName: integration.profile.accountName,
      person,
    });
    return `Open this within a quarter of an hour, signed in to this service, and confirm that it is you: ${address}`;
  } catch (error) {
    const known = asAppError(error);
    if (known.code !== "forbidden") throw error;
    return known.message;
  }
}

/** Answers `/infragpt unlink`. */
export async function unlinkAsker(
  deps: AskerDeps,
  { organizationId, id }: Integration,
  author: InboundAuthor,
): Promise<string> {
  const wasLinked = await deps.identity.chat.unlink({
    organizationId,
    integrationId: id,
    chatUserId: author.id,
  });
  return wasLinked
    ? "Your chat account is no longer tied to your account of this service."
    : "Your chat account was not tied to any account of this service.";
}
