import { Dispatcher } from "./dispatcher.ts";
import type { FakeSlack } from "./fake-slack.ts";
import { HttpCarrier } from "./http-carrier.ts";
import { listen, makeServer } from "./listen.ts";
import { makeFakeSlack } from "./make-fake-slack.ts";
import type { FakeSlackOptions, HttpReceiver } from "./model.ts";
import { OAuth } from "./oauth.ts";
import { echoOwnPost, type PeopleDeps } from "./people.ts";
import { ResponseUrls } from "./response-urls.ts";
import { SocketCarrier } from "./socket-carrier.ts";
import { SocketHub } from "./socket-hub.ts";
import { SlackState } from "./state.ts";
import { WebApi } from "./web-api.ts";

/** Starts a Slack on a free loopback port, with one workspace and one channel. Close it with `await using`. */
export async function startFakeSlack(options: FakeSlackOptions = {}): Promise<FakeSlack> {
  const {
    appToken = "xapp-1-A0FAKE-1-secret",
    signingSecret = "8f742231b10e8888abcd99yyyzzz85a5",
    appId = "A0FAKE",
    clientId = "1111.2222",
    clientSecret = "fake-client-secret-0123456789",
    ackTimeoutMs = 1_000,
    retryDelaysMs = [20, 100, 300],
    now = Date.now,
  } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const state = new SlackState(now);
  const hub = new SocketHub({
    change: state.change,
    appId,
    connectionsMax: options.connectionsMax ?? 10,
    pingIntervalMs: options.pingIntervalMs ?? 2_000,
    disconnectGraceMs: options.disconnectGraceMs ?? 50,
  });
  const sockets = new SocketCarrier(hub, {
    ackTimeoutMs,
    whenDisconnected: options.whenDisconnected ?? "hold",
  });
  const dispatcher = new Dispatcher(sockets, state.change, retryDelaysMs, signal);
  const responseUrls = new ResponseUrls(state, now);
  const server = makeServer(() => ({ webApi, hub, responseUrls }));
  const address = await listen(server);
  const deps: PeopleDeps = { state, dispatcher, responseUrls, appId, origin: `http://${address}` };
  const oauth = new OAuth(state, { clientId, clientSecret, appId });
  const webApi = new WebApi({
    oauth,
    state,
    appId,
    appToken,
    now,
    signal,
    openConnection: () => hub.makeTicket(`ws://${address}`),
    onPerformed: (workspace, method, answer) => {
      if (options.echoesOwnPosts ?? true) echoOwnPost(deps, workspace, method, answer);
    },
  });
  return makeFakeSlack({
    deps,
    hub,
    webApi,
    sockets,
    appToken,
    signingSecret,
    clientId,
    clientSecret,
    oauth,
    waitTimeoutMs: options.waitTimeoutMs,
    makeHttpCarrier: (receiver: HttpReceiver) =>
      new HttpCarrier({ receiver, signingSecret, ackTimeoutMs, signal }),
    async close() {
      closing.abort(new Error("the fake Slack was closed"));
      state.change.end("the fake Slack was closed");
      hub.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
