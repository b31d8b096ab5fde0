import { readFile, statfs } from "node:fs/promises";
import type { Disk, Disks } from "./model.ts";

// A dead server makes statfs wait in the kernel for ever, and four such waits would block every
// file operation of the process.
const NETWORK = /^(?:nfs|nfs4|cifs|smb3?|smbfs|9p|ceph|glusterfs|lustre|afs|ncpfs|fuse\..+|fuse)$/;
// Images are always full, and the others hold no data.
const READ_ONLY_IMAGE = /^(?:squashfs|iso9660|erofs|udf|cramfs)$/;
const MEMORY_BACKED = /^(?:tmpfs|ramfs|devtmpfs)$/;
const DISKS_MAX = 64;

interface Mount {
  readonly device: string;
  readonly path: string;
  readonly type: string;
}

/** File systems that hold data, each device once, fullest first. Memory-backed ones are left out unless they fill up. */
export async function readDisks(mountsFile = "/proc/self/mounts"): Promise<Disks> {
  const mounts = parseMounts(await readFile(mountsFile, "utf8"));
  const network = mounts.filter(({ type }) => NETWORK.test(type));
  const local = onePerDevice(mounts.filter(isLocalStorage)).slice(0, DISKS_MAX);
  const measured = await Promise.all(local.map(measure));
  const disks = measured.filter((disk) => disk !== undefined);
  return {
    disks: disks.toSorted((a, b) => b.usedPercent - a.usedPercent),
    skipped: network.map(({ path }) => path).slice(0, DISKS_MAX),
  };
}

export function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields.length >= 4)
    .map(([device = "", path = "", type = ""]) => ({
      device: unescapeMount(device),
      path: unescapeMount(path),
      type,
    }));
}

/** The kernel writes a space in a path as \040. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function isLocalStorage({ device, path, type }: Mount): boolean {
  if (NETWORK.test(type) || READ_ONLY_IMAGE.test(type)) return false;
  if (/^\/(?:sys|proc)(?:\/|$)/.test(path)) return false;
  return (
    device.startsWith("/") || /^(?:overlay|zfs|btrfs|bcachefs)$/.test(type) || type === "tmpfs"
  );
}

/** A bind mount shows the same device again: keep the shortest path, which is the one people know. */
function onePerDevice(mounts: readonly Mount[]): Mount[] {
  const kept = new Map<string, Mount>();
  for (const mount of mounts) {
    const key = mount.device.startsWith("/") ? mount.device : mount.path;
    const known = kept.get(key);
    if (known === undefined || mount.path.length < known.path.length) kept.set(key, mount);
  }
  return [...kept.values()];
}

async function measure({ device, path, type }: Mount): Promise<Disk | undefined> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
    const reachable = blocks - bfree + bavail;
    if (blocks === 0 || reachable === 0) return undefined;
    // Rounded up like df, so that both say the same number.
    const usedPercent = Math.ceil(((blocks - bfree) / reachable) * 100);
    if (MEMORY_BACKED.test(type) && usedPercent < 80) return undefined;
    return {
      mount: path,
      device,
      sizeBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      usedPercent,
      inodesUsedPercent: files > 0 ? Math.ceil(((files - ffree) / files) * 100) : undefined,
    };
  } catch {
    // A mount that we may not enter says nothing about the others.
    return undefined;
  }
}
