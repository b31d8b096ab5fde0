import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";

/** A process of a measurement that tells by messages what happens in it. */
export interface Child extends AsyncDisposable {
  send(message: object): void;
  /** The next message of a kind; earlier ones that nobody took count. Throws when the process ends first. */
  next<Message extends { readonly kind: string }>(kind: string): Promise<Message>;
}

export function startChild(file: string, ...argv: string[]): Child {
  const child: ChildProcess = fork(join(import.meta.dirname, file), argv, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const held: { readonly kind: string }[] = [];
  const waiting: {
    readonly kind: string;
    readonly resolve: (message: never) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  let hasExited = false;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.once("exit", () => {
    hasExited = true;
    for (const { kind, reject } of waiting) reject(endedBefore(kind));
  });
  function endedBefore(kind: string): Error {
    return new Error(`${file} ended before "${kind}".`);
  }
  child.on("message", (message: { readonly kind: string }) => {
    const index = waiting.findIndex((waiter) => waiter.kind === message.kind);
    if (index < 0) held.push(message);
    else waiting.splice(index, 1)[0]?.resolve(message as never);
  });
  return {
    send: (message) => void child.send(message),
    next<Message extends { readonly kind: string }>(kind: string): Promise<Message> {
      const index = held.findIndex((message) => message.kind === kind);
      if (index >= 0) return Promise.resolve(held.splice(index, 1)[0] as Message);
      if (hasExited) return Promise.reject(endedBefore(kind));
      return new Promise<Message>((resolve, reject) => waiting.push({ kind, resolve, reject }));
    },
    async [Symbol.asyncDispose]() {
      // It exits by itself when its parent lets go, so that a profiler can write its file.
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await exited;
      clearTimeout(late);
    },
  };
}
