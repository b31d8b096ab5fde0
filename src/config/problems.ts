/** What is wrong at one place. Never holds the value. */
export interface ConfigProblem {
  /** "integrations.github.private_key", "agents[0].name", or the file's path. */
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with the configuration, at once. The process exits 78 on it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    this.problems = problems;
  }
}

export type Path = readonly (string | number)[];

function pathText(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : (index === 0 ? "" : ".") + part.slice(0, 60),
    )
    .join("");
}

/** Collects problems; one place is named once, with what was found first. */
export class Problems {
  readonly #byPath = new Map<string, ConfigProblem>();

  add(path: Path, message: string): void {
    const text = pathText(path);
    if (this.#byPath.has(text) || this.#byPath.has(`${text}_file`)) return;
    this.#byPath.set(text, { path: text, message });
  }

  throwIfAny(): void {
    if (this.#byPath.size > 0) throw new ConfigError([...this.#byPath.values()]);
  }
}
