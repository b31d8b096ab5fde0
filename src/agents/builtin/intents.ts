/** What a question is about, as far as the built-in agent can tell. */
export type Intent =
  | { readonly kind: "help" }
  | { readonly kind: "state" }
  | { readonly kind: "slow" }
  /** Something is slow, but it may not be this machine. */
  | { readonly kind: "slow_elsewhere" }
  | { readonly kind: "machine" }
  | { readonly kind: "disks" }
  | { readonly kind: "memory" }
  | { readonly kind: "load" }
  | { readonly kind: "uptime" }
  | { readonly kind: "ports" }
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "processes"; readonly by: "cpu" | "memory" }
  /** May name a process: the answer looks for these words among the running ones. */
  | { readonly kind: "process"; readonly words: readonly string[] }
  | { readonly kind: "unknown" };

const PORT =
  /\bport\s*(?:number\s*)?[:#]?\s*(\d{1,5})\b|\b(?:listen(?:s|ing)?|bound|open|running)\b.*?[\s:](\d{2,5})\b|(?:^|[\s.])(?:localhost|\*|\d+(?:\.\d+){3})?:(\d{2,5})\b/;

/** Read from top to bottom; the first row that matches decides, so the more specific ones come first. */
const KEYWORDS: readonly (readonly [RegExp, Intent])[] = [
  [/\bports?\b|\blisten(?:s|ing|ers?)?\b|\bsockets\b/, { kind: "ports" }],
  [
    /\bprocess(?:es)?\b.*\b(?:memory|ram)\b|\b(?:eats?|eating|uses?|using|hogs?|takes?|holds?)\b.*\b(?:memory|ram)\b|\btop\b.*\bmemory\b/,
    { kind: "processes", by: "memory" },
  ],
  [
    /\b(?:busiest|top)\b|\b(?:eats?|eating|uses?|using|hogs?|takes?)\b.*\bcpu\b|\bprocess(?:es)?\b.*\bcpu\b|\b(?:which|what|list|show)\b.*\bprocess(?:es)?\b/,
    { kind: "processes", by: "cpu" },
  ],
  [
    /\b(?:slow|slowly|slower|sluggish|lag|lags|laggy|lagging|bottleneck|overloaded|unresponsive|hot)\b|\bwhat(?:'s| is) wrong\b/,
    { kind: "slow" },
  ],
  [
    /\b(?:disks?|space|storage|file ?systems?|inodes?|volumes?|mounts?)\b|\bdf\b/,
    { kind: "disks" },
  ],
  [/\b(?:memory|ram|swap|swapping|oom)\b/, { kind: "memory" }],
  [/\b(?:load|cpus?|cores?|processor)\b/, { kind: "load" }],
  [/\b(?:uptime|reboot(?:ed)?|restarted)\b|\bhow long\b.*\b(?:up|running)\b/, { kind: "uptime" }],
  [
    /\bconnect(?:ed|ions?|ors?)?\b|\bintegrations?\b|\b(?:status|state|ready|readiness|queues?|jobs|database|db|agents?)\b|\bare you (?:ok|okay|alive|up|there)\b/,
    { kind: "state" },
  ],
  [/\b(?:machine|server|host|system|box|computer|health|healthy|overview)\b/, { kind: "machine" }],
  [
    /\b(?:help|commands?)\b|\bwhat (?:can|do) you\b|\bwho are you\b|\bwhat are you\b|^\W*(?:hello|hi|hey|hallo|moin|good (?:morning|afternoon|evening)|thanks?|thank you|ping|test)\b/,
    { kind: "help" },
  ],
  [/\bfull\b/, { kind: "disks" }],
];

const PROCESS_QUESTION =
  /\bprocess\b|\bis\s+\S+\s+(?:still\s+)?(?:running|up|alive|there)\b|\brunning\b|\b(?:doing|using|uses?|pid)\b/;
const THIS_MACHINE =
  /\b(?:this|machine|server|host|box|computer|system|everything|here|you|it|instance|node|vm|what's wrong)\b/;
const QUESTION_CHARACTERS_MAX = 2000;

/** Finds what a message asks for. It never guesses beyond the table: what is not in it is `unknown`. */
export function findIntent(text: string): Intent {
  const question = text
    .slice(0, QUESTION_CHARACTERS_MAX)
    // A mention such as <@U123> or @infragpt is no part of the question.
    .replace(/<[@#!][^>]*>|(?:^|\s)@\w+/g, " ")
    .toLowerCase()
    .trim();
  const port = findPort(question);
  if (port !== undefined) return { kind: "port", port };
  const words = question.match(/[a-z0-9][\w.+-]*/g) ?? [];
  const known = KEYWORDS.find(([pattern]) => pattern.test(question))?.[1];
  if (known?.kind === "slow" && !THIS_MACHINE.test(question)) return { kind: "slow_elsewhere" };
  if (known !== undefined && known.kind !== "help") return known;
  if (PROCESS_QUESTION.test(question)) return { kind: "process", words };
  if (question === "") return { kind: "help" };
  return known ?? { kind: "unknown" };
}

function findPort(question: string): number | undefined {
  const match = PORT.exec(question);
  const port = Number(match?.[1] ?? match?.[2] ?? match?.[3]);
  return port >= 1 && port <= 65_535 ? port : undefined;
}
