import { inspect } from "node:util";

const HIDDEN = "[secret]";

/**
 * A value that never prints itself: in logs, JSON, errors and the debugger's inspect it reads
 * `[secret]`. Call `reveal()` at the last moment, where the value leaves for its vendor.
 */
export class Secret<Value = string> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
