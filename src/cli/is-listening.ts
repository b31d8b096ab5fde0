import { connect } from "node:net";

/** Whether something accepts connections there. */
export async function isListening(host: string, port: number, timeoutMs = 1000): Promise<boolean> {
  if (port === 0) return false;
  const socket = connect({ host: host.replace(/^\[(.*)\]$/, "$1"), port, timeout: timeoutMs });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("timeout", () => resolve(false));
      socket.once("error", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
