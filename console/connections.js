import { VENDOR_TIMEOUT_MS, call } from "./api.js";
import { begin, renderConnectors } from "./connect.js";
import { askToDisconnect } from "./disconnect.js";
import { busy, byId, clearMessages, copyButton, notify, showProblem } from "./dom.js";
import { renderAccount, renewTimes } from "./render.js";
import { callWords, emptyWords, healthWords, titleOf } from "./words.js";

const TIMES_EVERY_MS = 20_000;

/** What the page knows, and what follows when a form has connected an account. */
const page = {
  accounts: [],
  connectors: [],
  async connected(account) {
    await load();
    tellConnected(account.id);
  },
};

const actions = { check, reconnect, disconnect };

for (const code of document.querySelectorAll(".command > code")) {
  code.after(copyButton(code.textContent, code.textContent));
}
document.addEventListener("signed-out", showSignedOut);
// A page that comes back from the browser's memory still says "Opening…".
addEventListener("pageshow", (event) => event.persisted && location.reload());
setInterval(renewTimes, TIMES_EVERY_MS);
void start();

async function start() {
  if (document.documentElement.dataset.identity !== "local") {
    byId("elsewhere").hidden = false;
    return;
  }
  byId("accounts").hidden = false;
  try {
    await load();
    await arrive(new URLSearchParams(location.search));
  } catch (error) {
    byId("loading").hidden = true;
    showProblem(byId("problem"), error);
  }
}

async function load() {
  const [{ connectors }, { integrations }] = await Promise.all([
    call("/api/v1/connectors"),
    call("/integrations/list", {}),
  ]);
  Object.assign(page, { connectors, accounts: integrations });
  byId("loading").hidden = true;
  byId("connect").hidden = false;
  renderAccounts();
  renderConnectors(page);
}

function renderAccounts() {
  byId("empty").hidden = page.accounts.length > 0;
  byId("empty").textContent = emptyWords(page.connectors);
  byId("account-list").replaceChildren(...page.accounts.map(rowOf));
}

function rowOf(account) {
  return renderAccount(account, connectorOf(account), actions);
}

function connectorOf(account) {
  return page.connectors.find(({ id }) => id === account.connector_type);
}

function findAccount(id) {
  return page.accounts.find((account) => account.id === id);
}

function problemOf({ id }) {
  return byId(`row-${id}`)?.querySelector(".message") ?? byId("problem");
}

function showSignedOut() {
  byId("accounts").hidden = true;
  byId("connect").hidden = true;
  byId("signed-out").hidden = false;
  byId("come-back").hidden = !new URLSearchParams(location.search).has("reconnect");
  clearMessages();
  if (page.connectors.length > 0) notify("Your session has ended: sign in again.", "neutral");
}

/** What the address says: a vendor or a message in the chat has sent the person here. */
async function arrive(query) {
  const id = query.get("integration_id") ?? "";
  if (query.has("connected")) tellConnected(id);
  else if (query.has("reconnect")) await askToReconnect(id, query.get("reconnect"));
  else return;
  // Once: a reload says nothing that is no longer so.
  history.replaceState(null, "", location.pathname);
}

function tellConnected(id) {
  const account = findAccount(id);
  if (!account) return notify("That account is not connected any more.", "neutral");
  const vendor = connectorOf(account)?.name ?? account.connector_type;
  notify(`${vendor} is connected: ${titleOf(account)}.`);
  highlight(id).querySelector("h3").focus({ preventScroll: true });
}

async function askToReconnect(id, connectorId) {
  const account = findAccount(id);
  if (!account) return askToConnectAgain(id, connectorId);
  const { tone } = healthWords(account);
  const row = highlight(id);
  const target = row.querySelector("[data-mend]");
  (target ?? row.querySelector("h3")).focus();
  notify(callWords(account, connectorOf(account), target?.dataset.mend), tone);
}

/** The account of the link has been disconnected since, or is none of this organization's. */
async function askToConnectAgain(id, connectorId) {
  const ended = await call("/integrations/status", { integration_id: id }).catch(() => undefined);
  const name = ended ? titleOf(ended) : "The account of this link";
  const target = byId(`connect-${connectorId}`);
  notify(
    `${name} is not connected any more.${target ? " You can connect it again here." : ""}`,
    "neutral",
  );
  target?.focus();
}

function highlight(id) {
  const row = byId(`row-${id}`);
  row.classList.add("fresh");
  row.scrollIntoView({ block: "nearest" });
  return row;
}

async function check(account, element) {
  const body = { integration_id: account.id };
  clearMessages();
  try {
    const fresh = await busy(element, "Checking…", async () => {
      await call("/integrations/sync", body, { timeoutMs: VENDOR_TIMEOUT_MS });
      return call("/integrations/status", body, { timeoutMs: VENDOR_TIMEOUT_MS });
    });
    page.accounts = page.accounts.map((one) => (one.id === fresh.id ? fresh : one));
    const row = rowOf(fresh);
    // It may have been disconnected meanwhile.
    byId(`row-${fresh.id}`)?.replaceWith(row);
    // Whoever has gone on to something else stays there.
    if (document.activeElement === document.body) {
      row.querySelector("[data-action=check]").focus({ preventScroll: true });
    }
    const { tone, words } = healthWords(fresh);
    notify(`Checked ${titleOf(fresh)}: ${words}.`, tone);
  } catch (error) {
    showProblem(problemOf(account), error);
  }
}

async function reconnect(account, element) {
  const connector = connectorOf(account);
  const title = `Reconnect ${titleOf(account)} (${connector.name})`;
  // Without a label it keeps its own.
  // An app that is gone has to be installed anew; GitHub sends nobody back from one that is there.
  const isInstalled = account.health_status !== "revoked";
  await begin({ page, connector, label: "", title, isInstalled }, element, problemOf(account));
}

async function disconnect(account) {
  if (!(await askToDisconnect(account, connectorOf(account)))) return;
  page.accounts = page.accounts.filter(({ id }) => id !== account.id);
  renderAccounts();
  notify(`${titleOf(account)} is disconnected.`);
  byId("notice").focus();
}
