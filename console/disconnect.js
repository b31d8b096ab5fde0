import { call } from "./api.js";
import { busy, byId, clearMessages, make, showProblem } from "./dom.js";
import { disconnectWords, titleOf } from "./words.js";

/** Asks, ends the connection, and resolves to whether that was done. */
export function askToDisconnect(account, connector) {
  const dialog = byId("disconnect");
  const problem = byId("disconnect-problem");
  const vendor = connector?.name ?? account.connector_type;
  const paragraphs = disconnectWords(account, connector).map((words) => make("p", {}, words));
  byId("disconnect-title").textContent = `Disconnect ${titleOf(account)} (${vendor})?`;
  byId("disconnect-words").replaceChildren(...paragraphs);
  clearMessages();
  const { promise, resolve } = Promise.withResolvers();
  const closed = new AbortController();
  let isDone = false;

  async function end() {
    clearMessages();
    try {
      await busy(byId("disconnect-yes"), "Disconnecting…", () =>
        call("/integrations/revoke", { integration_id: account.id }),
      );
      isDone = true;
      dialog.close();
    } catch (error) {
      // The dialog would hide what to do about a session that has ended.
      if (error.status === 401) dialog.close();
      else showProblem(problem, error);
    }
  }
  function listen(target, event, listener) {
    target.addEventListener(event, listener, { signal: closed.signal });
  }
  listen(byId("disconnect-yes"), "click", () => void end());
  listen(byId("disconnect-no"), "click", () => dialog.close());
  // Escape closes it too.
  listen(dialog, "close", () => {
    closed.abort();
    resolve(isDone);
  });
  dialog.showModal();
  return promise;
}
