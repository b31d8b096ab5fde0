import { lookup as resolveName } from "node:dns/promises";
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import { type EgressRules, isAllowedAddress } from "./egress-rules.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Every address of a name. */
export type ResolveName = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export function systemResolve(hostname: string): Promise<readonly ResolvedAddress[]> {
  return resolveName(hostname, { all: true, order: "verbatim" });
}

/** The socket, or the name's addresses, lead where nobody may go. The message is for the log. */
export class EgressRefused extends Error {
  override readonly name = "EgressRefused";
}

/**
 * Connects for undici, and checks three times where to: the host where it is an address, every
 * address of a name as it is resolved for this very connection, and the socket's other end, before
 * a byte is sent. A lookup hook alone is not asked for addresses, and a check beforehand alone is
 * passed by a name that changes its mind.
 */
export function guardedConnector(
  rules: EgressRules,
  resolve: ResolveName,
  timeoutMs: number,
): buildConnector.connector {
  return ({ hostname, port, protocol, servername }, callback) => {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(host) !== 0 && !isAllowedAddress(host, rules)) {
      callback(new EgressRefused(`${host} is not public`), null);
      return;
    }
    const isSecure = protocol === "https:";
    const tcp = connectTcp({
      host,
      port: Number(port) || (isSecure ? 443 : 80),
      lookup: guardedLookup(rules, resolve),
    });
    let socket: Socket = tcp;
    const timer = setTimeout(() => socket.destroy(new Error("connect timed out")), timeoutMs);
    function finish(error: Error | null): void {
      clearTimeout(timer);
      if (error === null) callback(null, socket);
      else callback(error, null);
    }
    tcp.once("error", finish);
    tcp.once("connect", () => {
      const { remoteAddress = "" } = tcp;
      if (!isAllowedAddress(remoteAddress, rules)) {
        tcp.destroy(new EgressRefused(`the other end is ${remoteAddress}`));
        return;
      }
      tcp.off("error", finish);
      tcp.setNoDelay(true);
      if (!isSecure) {
        finish(null);
        return;
      }
      const name = servername ?? (isIP(host) === 0 ? host : "");
      // With no host, Node compares the certificate of an address with "localhost".
      const tls = connectTls({ socket: tcp, host, servername: name, ALPNProtocols: ["http/1.1"] });
      socket = tls;
      tls.once("error", finish);
      tls.once("secureConnect", () => {
        tls.off("error", finish);
        finish(null);
      });
    });
  };
}

function guardedLookup(rules: EgressRules, resolve: ResolveName): LookupFunction {
  return (hostname, { all }, callback) => {
    void answer();

    async function answer(): Promise<void> {
      const addresses = await resolvePublic(hostname, rules, resolve);
      if (addresses instanceof Error) {
        callback(addresses, "", 0);
        return;
      }
      const [first] = addresses;
      if (!first) callback(new Error(`${hostname} has no address`), "", 0);
      else if (all) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    }
  };
}

/** One address of a name that is not public condemns the name: it is meant for somebody inside. */
async function resolvePublic(
  hostname: string,
  rules: EgressRules,
  resolve: ResolveName,
): Promise<readonly ResolvedAddress[] | Error> {
  try {
    const addresses = await resolve(hostname);
    const bad = addresses.find(({ address }) => !isAllowedAddress(address, rules));
    return bad ? new EgressRefused(`${hostname} is ${bad.address}`) : addresses;
  } catch (error) {
    return error instanceof Error ? error : new Error("The lookup failed.", { cause: error });
  }
}
