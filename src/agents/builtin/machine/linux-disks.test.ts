import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parseMounts, readDisks } from "./linux-disks.ts";

const onLinux = { skip: platform() !== "linux" };

function mountsFile(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "mounts-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "mounts"), text);
  return join(directory, "mounts");
}

test("agrees with the file system about the space that is left", onLinux, async (t) => {
  const { disks } = await readDisks(mountsFile(t, "/dev/vda / ext4 rw 0 0\n"));

  const { bsize, blocks, bavail } = statfsSync("/");
  assert.equal(disks[0]?.mount, "/");
  assert.equal(disks[0].sizeBytes, blocks * bsize);
  // Others write meanwhile.
  assert.ok(Math.abs(disks[0].availableBytes - bavail * bsize) < 1024 ** 3);
  assert.ok(disks[0].usedPercent >= 0 && disks[0].usedPercent <= 100);
});

test("finds the disk that this machine runs from", onLinux, async () => {
  const { disks } = await readDisks();

  assert.ok(disks.length > 0);
});

test("does not touch network file systems, which may hang, but names them", onLinux, async (t) => {
  const { disks, skipped } = await readDisks(
    mountsFile(
      t,
      "nas:/x /mnt/nas nfs4 rw 0 0\n//nas/y /mnt/smb cifs rw 0 0\nsshfs /mnt/ssh fuse.sshfs rw 0 0\n",
    ),
  );

  assert.deepEqual(disks, []);
  assert.deepEqual(skipped, ["/mnt/nas", "/mnt/smb", "/mnt/ssh"]);
});

test("shows a device that is mounted several times once", onLinux, async (t) => {
  const { disks } = await readDisks(
    mountsFile(t, "/dev/vda /tmp ext4 rw 0 0\n/dev/vda / ext4 rw 0 0\n/dev/vda /etc ext4 rw 0 0\n"),
  );

  assert.deepEqual(
    disks.map(({ mount }) => mount),
    ["/"],
  );
});

test("leaves out kernel file systems, images and a mount that is gone", onLinux, async (t) => {
  const { disks } = await readDisks(
    mountsFile(
      t,
      "proc /proc proc rw 0 0\n/dev/loop0 / squashfs ro 0 0\n/dev/vdz /no/such/mount ext4 rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n",
    ),
  );

  assert.deepEqual(disks, []);
});

test("reads a path with a space", () => {
  assert.equal(
    parseMounts(String.raw`/dev/sdb1 /media/my\040disk ext4 rw 0 0`)[0]?.path,
    "/media/my disk",
  );
});
