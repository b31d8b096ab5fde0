import { once } from "node:events";
import { createServer } from "node:net";
import { z } from "zod";
import type { Config } from "#config";
import { deadline, type Abortable } from "#platform";
import { failed, ok, type Finding } from "./finding.ts";

const ASK_TIMEOUT_MS = 2000;

/** Whether the service can listen, or already does. */
export async function checkPorts(
  config: Config,
  { signal }: Abortable,
): Promise<readonly Finding[]> {
  const { host, port } = config;
  const isOurs = await isOwnService(host, port, signal);
  return Promise.all(
    portsOf(config).map(async ([name, number]) => {
      const label = `${name} ${number}`;
      if (number === 0) return ok(label, "any free port");
      const problem = await findBindProblem(host, number);
      if (problem === undefined) return ok(label, "free");
      if (problem === "EADDRINUSE" && isOurs) return ok(label, "a running infragpt has it");
      if (problem === "EADDRINUSE") {
        return failed(label, `another program has it: end that, or set ${name}`);
      }
      return failed(label, `cannot be used on ${host} (${problem}): set host or ${name}`);
    }),
  );
}

/** Why the service cannot listen, one line a port; empty when it can. For a start that failed. */
export async function listPortProblems(config: Config): Promise<readonly string[]> {
  const { host } = config;
  const lines = await Promise.all(
    portsOf(config).map(async ([name, number]) => {
      if (number === 0) return [];
      const problem = await findBindProblem(host, number);
      if (problem === undefined) return [];
      const reason = problem === "EADDRINUSE" ? "is taken by another program" : `fails: ${problem}`;
      return [
        `${name}: ${host}:${number} ${reason}; set ${name} to another, or 0 for any free one`,
      ];
    }),
  );
  return lines.flat();
}

/** By the name of its key, what the service will listen on. */
function portsOf({
  port,
  grpcPort,
  identity,
  github,
}: Config): readonly (readonly [string, number])[] {
  const clerkPort = identity.clerk?.webhookSecret && identity.clerk.port;
  const githubPort = github && github.webhookSecrets.length > 0 ? github.webhookPort : undefined;
  return [
    ["port", port],
    ["grpc_port", grpcPort],
    ...(clerkPort === undefined ? [] : [["identity.clerk.port", clerkPort] as const]),
    ...(githubPort === undefined
      ? []
      : [["integrations.github.webhook_port", githubPort] as const]),
  ];
}

async function findBindProblem(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
  } finally {
    server.close();
  }
}

const Document = z.object({ info: z.object({ title: z.string() }) });

async function isOwnService(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  const isEvery = host === "0.0.0.0" || host === "::";
  const name = isEvery ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  try {
    const answer = await fetch(`http://${name}:${port}/openapi.json`, {
      signal: deadline(signal, ASK_TIMEOUT_MS),
      redirect: "error",
    });
    const { data } = Document.safeParse(await answer.json());
    return data?.info.title.startsWith("InfraGPT") === true;
  } catch {
    return false;
  }
}
