import type { Carrier } from "./carrier.ts";
import type { FakeSlack } from "./fake-slack.ts";
import { signRequest } from "./http-carrier.ts";
import type { HttpReceiver, PostSignedOptions } from "./model.ts";
import type { OAuth } from "./oauth.ts";
import { type PeopleDeps, interact, say, sendEvent, slashCommand, write } from "./people.ts";
import type { SocketHub } from "./socket-hub.ts";
import { makeWaits } from "./waits.ts";
import type { WebApi } from "./web-api.ts";

export interface Assembly {
  readonly deps: PeopleDeps;
  readonly hub: SocketHub;
  readonly webApi: WebApi;
  readonly sockets: Carrier;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly oauth: OAuth;
  readonly waitTimeoutMs: number | undefined;
  readonly makeHttpCarrier: (receiver: HttpReceiver) => Carrier;
  close(): Promise<void>;
}

/** Binds the parts to the handle that tests hold. */
export function makeFakeSlack(assembly: Assembly): FakeSlack {
  const { deps, hub, webApi } = assembly;
  const { state, dispatcher, appId, origin } = deps;
  const workspace = state.addWorkspace({ teamId: "T0LOCAL", botUserId: "U0BOT", botId: "B0BOT" });
  const channel = state.addChannel(workspace.teamId, { id: "C0LOCAL", name: "incidents" });
  const waits = makeWaits(assembly, workspace.teamId, channel.id);
  return {
    ...waits,
    apiUrl: `${origin}/api/`,
    appId,
    appToken: assembly.appToken,
    signingSecret: assembly.signingSecret,
    clientId: assembly.clientId,
    clientSecret: assembly.clientSecret,
    authorizeUrl: `${origin}/oauth/v2/authorize`,
    secrets: () => [
      assembly.appToken,
      assembly.signingSecret,
      assembly.clientSecret,
      workspace.botToken,
      ...assembly.oauth.issued,
    ],
    approve: (authorizeUrl, { teamId = workspace.teamId, userId = "U0OWNER" } = {}) =>
      assembly.oauth.approve(authorizeUrl, { teamId, userId }),
    cancel: (authorizeUrl) => assembly.oauth.cancel(authorizeUrl),
    workspace,
    channel,
    addWorkspace: (given) => state.addWorkspace(given),
    addChannel: (teamId, given) => state.addChannel(teamId, given),
    changeChannel(teamId, channelId, change) {
      const room = state.room(teamId, channelId);
      room.channel = { ...room.channel, ...change };
    },
    revokeToken(teamId, error = "token_revoked") {
      state.workspace(teamId).tokenError = error;
    },
    threadStatus: (teamId, channelId, threadTs) =>
      state.room(teamId, channelId).statuses.get(threadTs),
    write: (teamId, channelId, userId, text, options) =>
      write(deps, state.room(teamId, channelId), userId, text, options).ts,
    calls: (method) =>
      webApi.calls.filter((call) => method === undefined || call.method === method),
    fail: (method, fault, options = {}) => webApi.faults.plan(method, fault, options),
    clearFaults: () => webApi.faults.clear(),
    onCall: (method, callback) => webApi.listen(method, callback),
    onAck(callback) {
      dispatcher.ackListeners.add(callback);
      return { [Symbol.dispose]: () => void dispatcher.ackListeners.delete(callback) };
    },
    deliverTo(receiver) {
      dispatcher.carrier =
        receiver === "sockets" ? assembly.sockets : assembly.makeHttpCarrier(receiver);
    },
    sendEvent: (teamId, event, options) => sendEvent(deps, teamId, event, options),
    mention(teamId, channelId, userId, text, options) {
      const team = state.workspace(teamId);
      const tag = `<@${team.botUserId}>`;
      const message = {
        userId,
        text: text.includes(tag) ? text : `${tag} ${text}`,
        mentions: true,
      };
      return say(deps, team, state.room(teamId, channelId), message, options);
    },
    say: (teamId, channelId, userId, text, options) =>
      say(
        deps,
        state.workspace(teamId),
        state.room(teamId, channelId),
        { userId, text, mentions: false },
        options,
      ),
    directMessage(teamId, userId, text, options) {
      const team = state.workspace(teamId);
      const room = state.openDirect(team, userId);
      const message = { userId, text, mentions: false };
      return { ...say(deps, team, room, message, options), channelId: room.channel.id };
    },
    slashCommand: (teamId, channelId, input) =>
      slashCommand(deps, state.workspace(teamId), state.room(teamId, channelId), input),
    interaction: (teamId, channelId, userId, payload) =>
      interact(deps, state.workspace(teamId), state.room(teamId, channelId), userId, payload),
    get connections() {
      return hub.live.length;
    },
    sendRaw: (frame) => hub.sendToAll(frame),
    disconnectAll: (reason = "refresh_requested") => hub.disconnectAll(reason),
    freeze: () => hub.freeze(),
    dropConnections: () => hub.drop(),
    refuseConnections: (how, times = Number.POSITIVE_INFINITY) => hub.refuse(how, times),
    sign: (body, options = {}) =>
      signRequest(
        options.secret ?? assembly.signingSecret,
        body,
        options.timestampSeconds ?? Math.floor(Date.now() / 1000),
      ),
    postSigned: (url, body, options) => postSigned(assembly.signingSecret, url, body, options),
    async postEvents(url, teamId, events) {
      const carrier = assembly.makeHttpCarrier({ eventsUrl: url });
      const all = [];
      for (const event of events) {
        const sent = sendEvent(deps, teamId, event, {}, carrier);
        all.push(sent);
        await sent.acked;
      }
      return all;
    },
    [Symbol.asyncDispose]: () => assembly.close(),
  };
}

async function postSigned(
  signingSecret: string,
  url: string,
  body: string,
  options: PostSignedOptions = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const { secret = signingSecret, timestampSeconds = Math.floor(Date.now() / 1000) } = options;
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": options.contentType ?? "application/json",
      ...signRequest(secret, body, timestampSeconds),
      ...options.headers,
    },
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: await response.text() };
}
