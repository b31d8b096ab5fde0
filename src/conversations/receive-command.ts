import type { InboundCommand } from "@infragpt/connector-kit";
import { can, missingPermission } from "#identity";
import { deadline, type Abortable, type Log } from "#platform";
import { withTenant, type DatabaseTransaction } from "#database";
import type { CommandReceived, Integration, Integrations } from "#integrations";
import { findAsker, type AskerDeps } from "./find-asker.ts";
import { linkAsker, unlinkAsker, NOT_LINKED } from "./link-asker.ts";
import { TEXT_LIMITS, type Monitoring } from "./model.ts";
import { addMessage, type ReceiveDeps } from "./receive-message.ts";
import { openConversation, setMonitoring } from "./store.ts";

const RESPOND_TIMEOUT_MS = 10_000;

export interface CommandDeps extends ReceiveDeps, AskerDeps {
  readonly integrations: Pick<Integrations, "connections">;
  readonly log: Log;
  /** What an organization may know of the service's state, in Markdown, for `status`. */
  readonly describeState: (organizationId: string) => Promise<string>;
}

const HELP = [
  "*What I can do*",
  "• Mention me in a channel, write to me directly, or reply in a thread I take part in.",
  "• `/infragpt <question>` asks from anywhere; the answer comes as a message in the channel.",
  "• `/infragpt status` shows the state of every connection, agent and queue.",
  "• `/infragpt monitor people|alerts|off` makes me answer plain messages in this channel: those of people, or the alerts of other bots.",
  "• `/infragpt link` ties your chat account to your account of this service, `/infragpt unlink` ends that.",
].join("\n");

const MONITORING_SAID: Record<Monitoring, string> = {
  people:
    "I now answer what people write in this channel, without a mention. `/infragpt monitor off` ends it.",
  alerts:
    "I now look into the alerts that other bots post in this channel. `/infragpt monitor off` ends it.",
  off: "I now answer mentions only in this channel.",
};

/** Handles a slash command: a word that it knows is answered privately, anything else is a question. */
export async function receiveCommand(
  deps: CommandDeps,
  { integration, command }: CommandReceived,
  { signal }: Abortable,
): Promise<void> {
  const [word = "", argument = ""] = command.text.toLowerCase().split(/\s+/, 2);
  const isAlone = !/\s/.test(command.text.trim());
  if (word === "" || (word === "help" && isAlone))
    return respond(deps, integration, command, HELP, signal);
  if (word === "status" && isAlone) {
    return respond(
      deps,
      integration,
      command,
      await deps.describeState(integration.organizationId),
      signal,
    );
  }
  if (word === "link" && isAlone) {
    const answer = await linkAsker(deps, integration, command.author, { signal });
    return respond(deps, integration, command, answer, signal);
  }
  if (word === "unlink" && isAlone) {
    const answer = await unlinkAsker(deps, integration, command.author);
    return respond(deps, integration, command, answer, signal);
  }
  if (word === "monitor") return switchMonitoring(deps, integration, command, argument, signal);
  const isNew = await ask(deps, integration, command);
  deps.turns.wake();
  if (isNew)
    await respond(
      deps,
      integration,
      command,
      "I am on it: the answer comes in this channel.",
      signal,
    );
}

async function switchMonitoring(
  deps: CommandDeps,
  integration: Integration,
  command: InboundCommand,
  argument: string,
  signal: AbortSignal,
): Promise<void> {
  if (argument !== "people" && argument !== "alerts" && argument !== "off") {
    return respond(
      deps,
      integration,
      command,
      "Say `/infragpt monitor people`, `alerts` or `off`.",
      signal,
    );
  }
  if (command.channel.kind === "direct") {
    return respond(
      deps,
      integration,
      command,
      "Here I answer everything anyway; use this in a channel.",
      signal,
    );
  }
  const asker = await findAsker(deps, integration, command.author, { signal });
  if (!asker) return respond(deps, integration, command, NOT_LINKED, signal);
  if (!can(asker, "channel:monitor", integration)) {
    const refusal = missingPermission(asker, "channel:monitor");
    return respond(deps, integration, command, refusal, signal);
  }
  const { organizationId } = integration;
  await withTenant(deps.db, organizationId, (tx) =>
    setMonitoring(tx, organizationId, {
      id: deps.ids(),
      integrationId: integration.id,
      externalId: command.channel.id,
      kind: command.channel.kind,
      monitoring: argument,
      at: deps.clock.now(),
    }),
  );
  deps.log.info(
    { organizationId, channelId: command.channel.id, by: command.author.id, monitoring: argument },
    "channel monitoring switched",
  );
  await respond(deps, integration, command, MONITORING_SAID[argument], signal);
}

/** The question opens a conversation without a thread; its first answer, quoting it, becomes the thread. */
async function ask(
  deps: CommandDeps,
  integration: Integration,
  command: InboundCommand,
): Promise<boolean> {
  const { organizationId, profile } = integration;
  const added = await withTenant(deps.db, organizationId, async (tx: DatabaseTransaction) => {
    const conversation = await openConversation(tx, organizationId, {
      id: deps.ids(),
      surface: "slack",
      externalKey: `${profile.accountId}:${command.channel.id}:command:${command.commandId}`,
      integrationId: integration.id,
      channelId: command.channel.id,
      fallbackChannelId: command.author.id,
      at: deps.clock.now(),
    });
    return addMessage(deps, tx, organizationId, {
      conversationId: conversation.id,
      externalId: `command:${command.commandId}`,
      author: { kind: "person", id: command.author.id, name: command.author.name },
      text: command.text.slice(0, TEXT_LIMITS.messageCharactersMax),
      sentAt: command.sentAt,
      isToBeAnswered: true,
    });
  });
  return added !== undefined;
}

/** A private answer works for half an hour only; a lost one costs the person a second try, not a wrong state. */
async function respond(
  deps: CommandDeps,
  integration: Integration,
  command: InboundCommand,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const { organizationId, id } = integration;
  try {
    const { connector, connection } = await deps.integrations.connections.open(organizationId, id, {
      signal,
    });
    await connector.messenger?.respond(
      connection,
      { responseUrl: command.responseUrl, text },
      { signal: deadline(signal, RESPOND_TIMEOUT_MS) },
    );
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn(
      { err: error, organizationId, integrationId: id },
      "a command's private answer was not delivered",
    );
  }
}
