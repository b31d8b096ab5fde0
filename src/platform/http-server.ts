import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Principal } from "./principal.ts";
import type { RawRoute, Route } from "./route.ts";

export interface HttpCredentials {
  readonly authorization?: string;
  readonly cookie?: string;
  readonly remoteAddress: string;
}

export interface HttpServerOptions {
  readonly log: Log;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** One line a request. */
  readonly isHttpLogOn: boolean;
  readonly mode: "local" | "production";
  readonly ids: Ids;
  readonly clock: Clock;
  /** Says who calls; undefined is answered with 401 where a principal is needed. */
  authenticate(credentials: HttpCredentials): Promise<Principal | undefined>;
  readonly routes: readonly Route[];
  readonly rawRoutes: readonly RawRoute[];
  /** Of JSON bodies; 1 MiB by default. */
  readonly bodyBytesMax?: number;
}

export interface HttpServer {
  start(): Promise<{ readonly url: string }>;
  /** Takes no new connection, closes idle ones and waits for running requests. */
  stop(): Promise<void>;
  /** The OpenAPI 3.1 document. Available once started. */
  openApi(): object;
}
