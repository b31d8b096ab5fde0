/** One forward step, run in a transaction of its own. */
export interface Migration {
  /** "0001-foundation"; also its order. */
  readonly name: string;
  readonly sql: string;
}
