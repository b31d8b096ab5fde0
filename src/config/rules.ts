import { BlockList, isIP } from "node:net";
import type { Config } from "./config.ts";
import type { Path, Problems } from "./problems.ts";
import type { ConfigFile } from "./schema.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only this machine reaches the address. A name other than localhost counts as open. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(address);
  if (family === 0) return address.toLowerCase() === "localhost";
  return LOOPBACK.check(address, family === 6 ? "ipv6" : "ipv4");
}

/** What must hold between keys. A section with problems of its own is left out. */
export function checkRules(
  sections: Partial<ConfigFile>,
  mode: Config["mode"],
  problems: Problems,
): void {
  checkLocal(sections, problems);
  checkPorts(sections, problems);
  checkClerk(sections, problems);
  if (mode === "production") checkProduction(sections, problems);
}

function checkLocal({ mode, host, database }: Partial<ConfigFile>, problems: Problems): void {
  if (mode !== "local") return;
  if (host !== undefined && !isLoopback(host)) {
    problems.add(
      ["host"],
      "must be a loopback address in local mode: use 127.0.0.1, or mode: production",
    );
  }
  if (database?.url !== undefined || database?.host !== undefined) {
    problems.add(
      ["mode"],
      "local keeps its own database: remove `database`, or use mode: production",
    );
  }
}

function checkClerk({ identity }: Partial<ConfigFile>, problems: Problems): void {
  const clerk = identity?.clerk;
  if (clerk === undefined || clerk.issuer !== undefined || clerk.publishable_key !== undefined) {
    return;
  }
  problems.add(
    ["identity", "clerk", "issuer"],
    "is missing: set it to the Frontend API URL, or set publishable_key",
  );
}

function checkProduction(sections: Partial<ConfigFile>, problems: Problems): void {
  const { database, encryption, identity } = sections;
  if (isAbsent(sections, "database") || isOwnDatabase(database)) {
    problems.add(
      ["database"],
      "is missing: production needs a PostgreSQL of its own (host or url)",
    );
  }
  if (isAbsent(sections, "encryption") || encryption === null) {
    problems.add(
      ["encryption"],
      "is missing: production needs a key provider (file, env, aws_kms, gcp_kms or vault_transit)",
    );
  }
  const clerk = identity?.clerk;
  if (clerk !== undefined && clerk.webhook_secret === undefined) {
    problems.add(
      ["identity", "clerk", "webhook_secret"],
      "is missing: production verifies every webhook",
    );
  }
  if (clerk !== undefined && clerk.authorized_parties.length === 0) {
    problems.add(
      ["identity", "clerk", "authorized_parties"],
      "is missing: production needs at least one",
    );
  }
}

// A section with problems of its own is not in the result at all; an absent one is there as undefined.
function isAbsent(sections: Partial<ConfigFile>, key: keyof ConfigFile): boolean {
  return key in sections && sections[key] === undefined;
}

function isOwnDatabase(database: ConfigFile["database"]): boolean {
  return database !== undefined && database.url === undefined && database.host === undefined;
}

function checkPorts(sections: Partial<ConfigFile>, problems: Problems): void {
  const clerk = sections.identity?.clerk?.port;
  const github = sections.integrations?.github?.webhook_port;
  const ports: readonly (readonly [Path, number | undefined])[] = [
    [["port"], sections.port],
    [["grpc_port"], sections.grpc_port],
    [["metrics_port"], sections.metrics_port],
    [["identity", "clerk", "port"], clerk],
    [["integrations", "github", "webhook_port"], github],
  ];
  const takenBy = new Map<number, Path>();
  for (const [path, port] of ports) {
    if (port === undefined || port === 0) continue;
    const other = takenBy.get(port);
    if (other === undefined) takenBy.set(port, path);
    else problems.add(path, `is the same port as ${other.join(".")}`);
  }
}
