/** What the page says. Pure, so that it is tested without a browser. */

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 minutes ago" for a time in RFC 3339; "never" for none. */
export function relativeTime(time, now) {
  if (!time) return "never";
  const seconds = (now.getTime() - new Date(time).getTime()) / 1000;
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  // Clocks differ a little: what seems to lie ahead has just been.
  return "just now";
}

const HEALTH = {
  healthy: { tone: "good", words: "Works" },
  degraded: { tone: "warning", words: "Works in part" },
  expired: { tone: "bad", words: "Has expired" },
  revoked: { tone: "bad", words: "Access was taken back" },
  unknown: { tone: "neutral", words: "Not checked yet" },
};

const STATUS = {
  suspended: { tone: "warning", words: "Suspended" },
  deleted: { tone: "neutral", words: "Disconnected" },
  inactive: { tone: "neutral", words: "Switched off" },
  pending: { tone: "neutral", words: "Not connected to the end" },
  not_started: { tone: "neutral", words: "Not connected yet" },
};

/** How an account is, in words and a tone; a status other than active says more than the last health. */
export function healthWords({ status, health }) {
  if (status !== "active") return STATUS[status] ?? { tone: "neutral", words: status };
  return HEALTH[health.status] ?? { tone: "neutral", words: health.status };
}

/**
 * What mends an account: connecting it again, or its page at the vendor, where whoever closed it
 * opens it and where an installed app is given more. Undefined where nobody has to do anything.
 */
export function mendOf(account, connector) {
  const { tone } = healthWords(account);
  if (tone !== "bad" && tone !== "warning") return undefined;
  const isInstalled = connector?.authorization === "installation" && tone === "warning";
  if (account.status === "suspended" || isInstalled) return "vendor";
  return connector?.can_connect ? "reconnect" : undefined;
}

/** What a link that asks to reconnect an account has to say; `mend` is the button that it points to. */
export function callWords(account, connector, mend) {
  const title = titleOf(account);
  const { tone, words } = healthWords(account);
  if (tone === "good") return `${title} works: there is nothing to mend any more.`;
  const why = sentence(account.health.detail) || `${words}.`;
  const vendor = connector?.name ?? account.connector_type;
  const next = {
    reconnect: " Press Reconnect to mend it.",
    vendor: ` Open it at ${vendor} to mend it, then press Check now.`,
  };
  return `${title} needs you. ${why}${next[mend] ?? ""}`;
}

/** What stands in the place of accounts. */
export function emptyWords(connectors) {
  return connectors.some((connector) => connector.can_connect)
    ? "No account is connected yet. Choose below what to connect."
    : "No account is connected yet, and nothing is configured that could be: see below how to.";
}

/** Connectors say why as a part of a sentence. */
export function sentence(text) {
  const trimmed = (text ?? "").trim();
  if (trimmed === "") return "";
  const end = /[.!?…]$/.test(trimmed) ? "" : ".";
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${end}`;
}

/** How an account is called in a sentence. */
export function titleOf(account) {
  return account.label || account.metadata.account_name || account.connector_organization_id;
}

/** What pressing the connector's button leads to. */
export function stepWords({ name, authorization }) {
  switch (authorization) {
    case "oauth2":
      return `Opens ${name}, where you agree, and comes back here.`;
    case "installation":
      return `Opens ${name}, where you install the app, and comes back here.`;
    case "role":
      return `Shows what to set up at ${name}, then asks for the role.`;
    default:
      return `Asks for a key of ${name}.`;
  }
}

/** What the operator has to do before accounts of a connector can be connected here. */
export const SETUP = {
  slack: {
    name: "Slack",
    command: "npx infragpt slack link",
    makes: "prints the page of Slack that makes an app",
    keys: ["slack.app_token", "slack.client_id", "slack.client_secret"],
    otherwise: ["slack.app_token", "slack.bot_token"],
  },
  github: {
    name: "GitHub",
    command: "npx infragpt github link",
    makes: "prints the page of GitHub that makes an app",
    keys: ["app_id", "app_slug", "client_id", "client_secret", "private_key", "webhook_secret"].map(
      (key) => `integrations.github.${key}`,
    ),
  },
};

/** Why nobody can connect an account of a connector here; "" where somebody can. */
export function reasonWords(connector) {
  if (!connector) return "Its connector is not configured any more.";
  const { id, name, can_connect: canConnect, reason } = connector;
  if (canConnect) return "";
  const client = (SETUP[id]?.keys ?? []).filter((key) => /\.(client_|app_slug)/.test(key));
  const add = client.length > 0 ? `: set ${client.join(", ")} and restart` : "";
  switch (reason) {
    case "configuration_only":
      return `One ${name} account is connected by the configuration. To connect accounts here, ${name} needs an OAuth client${add}.`;
    case "no_client":
      return `${name} is configured without an OAuth client${add}.`;
    case "not_permitted":
      return "You may look, but not connect: an admin of your organization can.";
    default:
      return `${name} is not connected on this page.`;
  }
}

/** What disconnecting does, a sentence each. */
export function disconnectWords(account, connector) {
  const vendor = connector?.name ?? account.connector_type;
  const words = ["InfraGPT deletes its credentials at once.", vendorWords(account, vendor)];
  // Nobody of ours connected it: most likely the configuration did.
  if (account.user_id === null) {
    words.push(
      "If its token stands in the configuration, take it out there too: otherwise the next start connects it again.",
    );
  }
  return [...words, "It can be connected again later."];
}

function vendorWords({ connector_type: id, credential_type: type, metadata }, vendor) {
  const name = metadata.account_name || "the account";
  if (id === "github") return `At GitHub, the app is uninstalled from ${name}.`;
  if (id === "slack") {
    return `At Slack, the app is uninstalled from ${name}, or its token revoked: nobody there can ask InfraGPT any more.`;
  }
  if (type === "api_key") {
    return `What InfraGPT set up at ${vendor}, such as webhooks, is removed. The key itself stays good: end it at ${vendor}.`;
  }
  if (type === "role") return `The role stays at ${vendor} until you delete it there.`;
  return `Its access at ${vendor} is taken back, within minutes.`;
}
