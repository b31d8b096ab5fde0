import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";

/** A process of a measurement that tells by messages what happens in it. */
export interface Child extends AsyncDisposable {
  send(message: object): void;
  /** The next message of a kind; earlier ones that nobody took count. */
  next<Message extends { readonly kind: string }>(kind: string): Promise<Message>;
}

export function startChild(file: string, ...argv: string[]): Child {
  const child: ChildProcess = fork(join(import.meta.dirname, file), argv, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const held: { readonly kind: string }[] = [];
  const waiting: { readonly kind: string; readonly resolve: (message: never) => void }[] = [];
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
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
      return new Promise<Message>((resolve) => waiting.push({ kind, resolve }));
    },
    async [Symbol.asyncDispose]() {
      // It exits by itself when its parent lets go, so that a profiler can write its file.
      child.disconnect();
      const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await exited;
      clearTimeout(late);
    },
  };
}
