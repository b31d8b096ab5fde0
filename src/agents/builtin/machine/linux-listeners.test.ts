import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces, platform } from "node:os";
import { test } from "node:test";
import { portOf } from "../../testing.ts";
import { parseSockets, readListeners } from "./linux-listeners.ts";

const onLinux = { skip: platform() !== "linux" };

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

for (const host of ["127.0.0.1", "0.0.0.0", ...(hasIpv6 ? ["::1"] : [])]) {
  test(
    `sees a TCP socket that listens on ${host}, and our own process behind it`,
    onLinux,
    async () => {
      const server = createServer().listen(0, host);
      await once(server, "listening");
      const port = portOf(server);

      const found = (await readListeners()).find((listener) => listener.port === port);
      server.close();
      await once(server, "close");
      const after = (await readListeners()).find((listener) => listener.port === port);

      assert.equal(found?.protocol, "tcp");
      assert.equal(found.address, host);
      assert.equal(found.process?.pid, process.pid);
      assert.match(found.process.name, /node/);
      assert.equal(after, undefined);
    },
  );
}

test("sees a UDP socket that waits for packets", onLinux, async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();

  const found = (await readListeners()).find((listener) => listener.port === port);
  socket.close();

  assert.equal(found?.protocol, "udp");
  assert.equal(found.process?.pid, process.pid);
});

test("reads the kernel's table and leaves out connections", () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
`;

  assert.deepEqual(parseSockets(table, true), [
    { protocol: "tcp", address: "0.0.0.0", port: 8080, inode: "4711" },
  ]);
});

test("writes an IPv4 address within IPv6 as people know it", () => {
  const line =
    "0: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A x x x 0 0 1 1";

  assert.equal(parseSockets(`head\n${line}`, true)[0]?.address, "127.0.0.1");
});
