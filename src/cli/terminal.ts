/** Where a command writes. Answers go to `out`, everything about them to `err`. */
export interface Terminal {
  readonly isTty: boolean;
  out(text: string): void;
  err(text: string): void;
}

/** What a command may know of the world around it. */
export interface CliContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts on the first SIGTERM or SIGINT; the second ends the process. */
  readonly signal: AbortSignal;
}

/** Text from outside without what moves the cursor or colours the rest of the terminal. */
export function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the purpose.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

/** Rows in columns as wide as their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
