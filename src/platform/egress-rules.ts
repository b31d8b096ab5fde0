import ipaddr from "ipaddr.js";
import { AppError } from "./errors.ts";

export interface EgressRules {
  /** Local development: this machine may be reached, over http too and on any port. */
  readonly isLoopbackAllowed: boolean;
  readonly ports: readonly number[];
  /** Hosts that may be reached and no others: "api.example.com", or ".example.com" for all below it. */
  readonly hostsAllowed?: readonly string[];
  /** Further networks that are never reached, such as the own VPC: "10.0.0.0/8". */
  readonly networksDenied: readonly string[];
}

/** All that is given out for the public internet; ipaddr.js counts ::127.0.0.1 as unicast too. */
const PUBLIC_IPV6: Network = [ipaddr.parse("2000::"), 3];

type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Classed as public by their ranges, and yet not the public internet. */
const NETWORKS_DENIED = [
  // Azure's wire server, which gives out credentials.
  "168.63.129.16/32",
  // Ways from IPv6 into IPv4 networks.
  "64:ff9b::/96",
  "2002::/16",
  // The instance metadata of AWS over IPv6.
  "fd00:ec2::254/128",
] as const;

/** Names that a resolver inside a cluster or a cloud answers for. */
const NAMES_DENIED = /(^|\.)(localhost|internal|local|svc|cluster\.local|in-addr\.arpa|ip6\.arpa)$/;

/**
 * Judges an address before anything is sent: scheme, port, name, and a host that is an address.
 * The URL has been parsed once by then, so that 2130706433, 0x7f.1 and ①②⑦.0.0.1 are 127.0.0.1.
 * Throws AppError("invalid_request") that repeats nothing of a path or a query.
 */
export function assertAllowedUrl(url: URL, rules: EgressRules): void {
  if (url.username !== "" || url.password !== "") refuse("it has a user name or a password");
  if (url.hash !== "") refuse("it has a fragment");
  const host = hostOf(url);
  const isLocal = rules.isLoopbackAllowed && isLoopbackHost(host);
  const isSchemeFit = url.protocol === "https:" || (isLocal && url.protocol === "http:");
  if (!isSchemeFit) refuse("it must be https");
  const port = url.port === "" ? 443 : Number(url.port);
  if (!isLocal && !rules.ports.includes(port)) {
    refuse(`its port must be ${rules.ports.join(" or ")}`);
  }
  if (ipaddr.isValid(host)) {
    if (!isAllowedAddress(host, rules)) refuse("it leads into a private network");
  } else if (!isLocal && NAMES_DENIED.test(host)) {
    refuse("its host is an internal name");
  }
  if (rules.hostsAllowed && !rules.hostsAllowed.some((allowed) => isHostWithin(host, allowed))) {
    refuse("its host is not on the list of allowed hosts");
  }
}

/** Whether an address is public, or this machine's own where that is allowed. False for what is no address. */
export function isAllowedAddress(address: string, rules: EgressRules): boolean {
  // A zone such as "fe80::1%eth0" is a link's own.
  if (!ipaddr.isValid(address) || address.includes("%")) return false;
  // Unwraps IPv4 in IPv6: ::ffff:127.0.0.1.
  const parsed = ipaddr.process(address);
  if (rules.isLoopbackAllowed && parsed.range() === "loopback") return true;
  if (parsed.range() !== "unicast") return false;
  if (parsed instanceof ipaddr.IPv6 && !isWithin(parsed, PUBLIC_IPV6)) return false;
  return ![...NETWORKS_DENIED, ...rules.networksDenied].some((cidr) =>
    isWithin(parsed, ipaddr.parseCIDR(cidr)),
  );
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Network): boolean {
  if (address instanceof ipaddr.IPv4) {
    return network instanceof ipaddr.IPv4 && address.match(network, bits);
  }
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}

/** The host as it is compared: without brackets, and without the dots that end a full name. */
function hostOf(url: URL): string {
  return url.hostname
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.+$/, "")
    .toLowerCase();
}

function isLoopbackHost(host: string): boolean {
  if (host === "localhost") return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}

function isHostWithin(host: string, allowed: string): boolean {
  return allowed.startsWith(".") ? host.endsWith(allowed) : host === allowed;
}

function refuse(reason: string): never {
  throw new AppError("invalid_request", `This address may not be called: ${reason}.`);
}
