import { createApp } from "#app";
import type { Config } from "#config";
import { InfraGPTService } from "#gen/infragpt/v1/infragpt_pb.ts";
import { AppError, createGrpcClient, Secret } from "#platform";
import { commandLog } from "./command-log.ts";
import type { Values } from "./commands.ts";
import { printAnswer, type Answer } from "./print-answer.ts";
import { isListening } from "./is-listening.ts";
import { readConfig, textOf } from "./read-config.ts";
import type { CliContext } from "./terminal.ts";

/** Longer than any agent may take: an hour is the most the configuration allows. */
const ANSWER_MS_MAX = 3_700_000;

interface Target {
  readonly endpoint: string;
  readonly token: Secret | undefined;
}

/** Sends a question to the service and shows the answer as it is written. */
export async function ask(
  context: CliContext,
  values: Values,
  words: readonly string[],
): Promise<number> {
  const text = words.join(" ").trim();
  if (text === "") {
    context.terminal.err('Ask something: infragpt ask "why is this machine slow?"\n');
    return 1;
  }
  const tokenText = textOf(values, "token") ?? context.env["INFRAGPT_TOKEN"];
  const token = tokenText ? new Secret(tokenText) : undefined;
  const endpoint = textOf(values, "endpoint");
  if (endpoint !== undefined) return converse(context, values, text, { endpoint, token });

  const config = readConfig(context, values);
  const here = `${dialable(config.host)}:${config.grpcPort}`;
  if (await isListening(dialable(config.host), config.grpcPort)) {
    return converse(context, values, text, { endpoint: here, token });
  }
  if (config.mode === "production") {
    throw new AppError("unavailable", `No service answers at ${here}: start it with npm start.`);
  }
  return withService(config, context, (address) =>
    converse(context, values, text, { endpoint: address, token }),
  );
}

async function converse(
  { terminal, signal }: CliContext,
  values: Values,
  text: string,
  { endpoint, token }: Target,
): Promise<number> {
  const connection = createGrpcClient(InfraGPTService, {
    endpoint,
    ...(token === undefined ? {} : { token }),
  });
  try {
    const conversationId = textOf(values, "conversation") ?? "";
    const events = connection.client.streamMessage(
      { text, conversationId, idempotencyKey: crypto.randomUUID() },
      { signal, deadline: new Date(Date.now() + ANSWER_MS_MAX) },
    );
    const answer = await printAnswer(events, terminal, { isJson: values["json"] === true });
    if (terminal.isTty && values["json"] !== true) terminal.err(continuation(answer));
    return answer.failure === undefined ? 0 : 1;
  } finally {
    connection.close();
  }
}

/** The whole service for one question: on free ports, without Slack, whose events belong to a running one. */
async function withService(
  config: Config,
  { terminal, signal }: CliContext,
  use: (grpcAddress: string) => Promise<number>,
): Promise<number> {
  const log = commandLog(config, terminal, "silent");
  const quiet: Config = { ...config, slack: undefined, port: 0, grpcPort: 0, metricsPort: 0 };
  if (terminal.isTty) terminal.err("No service is running: starting one for this question …\n");
  const app = createApp(quiet, { log });
  try {
    await app.start();
    signal.throwIfAborted();
    return await use(app.addresses.grpc);
  } finally {
    await app.stop();
  }
}

function continuation({ conversationId }: Answer): string {
  return conversationId === ""
    ? ""
    : `\nTo go on: infragpt ask --conversation ${conversationId} "…"\n`;
}

/** A server that listens on every address is reached on this machine's own. */
function dialable(host: string): string {
  const isEvery = host === "0.0.0.0" || host === "::" || host === "[::]";
  const address = isEvery ? "127.0.0.1" : host;
  return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}
