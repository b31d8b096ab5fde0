import { endianness } from "node:os";
import { readFile, readdir, readlink } from "node:fs/promises";
import type { Listener } from "./model.ts";
import { readProcessName } from "./linux-processes.ts";

const LISTENERS_MAX = 1000;
/** File descriptors looked at to name the owners: 25,000 take about 100 ms. */
const DESCRIPTORS_MAX = 200_000;

interface Socket {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** Sockets that wait for peers in our network namespace: listening TCP, and UDP bound without a peer. Sorted by port. */
export async function readListeners(procDirectory = "/proc"): Promise<Listener[]> {
  const tables = await Promise.all(
    (["tcp", "tcp6", "udp", "udp6"] as const).map(async (table) =>
      parseSockets(await readTable(`${procDirectory}/net/${table}`), table.startsWith("tcp")),
    ),
  );
  const sockets = tables.flat().slice(0, LISTENERS_MAX);
  const owners = await findOwners(procDirectory, new Set(sockets.map(({ inode }) => inode)));
  const listeners = await Promise.all(
    sockets.map(async ({ inode, ...socket }) => {
      const pid = owners.get(inode);
      if (pid === undefined) return { ...socket, process: undefined };
      return { ...socket, process: { pid, name: await readProcessName(procDirectory, pid) } };
    }),
  );
  return listeners.toSorted((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // Without IPv6 there is no table for it; without a table for IPv4 nothing can be said.
    if (path.endsWith("6") || path.endsWith("udp")) return "";
    throw error;
  }
}

/** Fields as in https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html (2026-11). */
export function parseSockets(text: string, isTcp: boolean): Socket[] {
  const sockets: Socket[] = [];
  for (const line of text.split("\n").slice(1)) {
    const [, local = "", remote = "", state = "", , , , , , inode = ""] = line.trim().split(/\s+/);
    // 0A is LISTEN; a UDP socket without a peer is 07.
    if (state !== (isTcp ? "0A" : "07") || !remote.endsWith(":0000")) continue;
    const [address = "", port = "0"] = local.split(":");
    sockets.push({
      protocol: isTcp ? "tcp" : "udp",
      address: parseAddress(address),
      port: Number.parseInt(port, 16),
      inode,
    });
  }
  return sockets;
}

/** The kernel prints each 32-bit word in the machine's byte order. */
function parseAddress(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  if (endianness() === "LE") bytes.swap32();
  if (bytes.length === 4) return [...bytes].join(".");
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff) {
    return [...bytes.subarray(12)].join(".");
  }
  const words = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // The URL parser writes the short form of an address.
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

/** Which process holds each socket. Those of other users stay unknown unless we are root. */
async function findOwners(
  procDirectory: string,
  inodes: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const owners = new Map<string, number>();
  let descriptorsLeft = DESCRIPTORS_MAX;
  for (const pid of await readdir(procDirectory)) {
    if (owners.size === inodes.size || descriptorsLeft <= 0) break;
    if (!/^\d+$/.test(pid)) continue;
    const directory = `${procDirectory}/${pid}/fd`;
    const descriptors = (await readdir(directory).catch(() => [])).slice(0, descriptorsLeft);
    descriptorsLeft -= descriptors.length;
    const targets = await Promise.all(
      descriptors.map((descriptor) => readlink(`${directory}/${descriptor}`).catch(() => "")),
    );
    for (const target of targets) {
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) owners.set(inode, Number(pid));
    }
  }
  return owners;
}
