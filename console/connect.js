import { authorize } from "./api.js";
import { openForm } from "./form.js";
import {
  busy,
  button,
  byId,
  clearMessages,
  command,
  isWebAddress,
  make,
  problemPlace,
  showProblem,
} from "./dom.js";
import { codes } from "./render.js";
import { SETUP, reasonWords, stepWords } from "./words.js";

/** Lists what can be connected, and what has to be configured first. `page` says what is known and what follows. */
export function renderConnectors(page) {
  const known = new Set(page.connectors.map(({ id }) => id));
  const missing = Object.keys(SETUP).filter((id) => !known.has(id));
  byId("label-field").hidden = !page.connectors.some((connector) => connector.can_connect);
  byId("connector-list").replaceChildren(
    ...page.connectors.map((connector) => renderConnector(page, connector)),
    ...missing.map((id) => renderMissing(SETUP[id])),
  );
}

function renderConnector(page, connector) {
  const { id, name, can_connect: canConnect } = connector;
  if (!canConnect) {
    const reason = make("p", { class: "quiet" }, reasonWords(connector));
    return make("li", { class: "card" }, make("h3", {}, name), reason);
  }
  const problem = problemPlace();
  async function start(element, isInstalled) {
    const label = byId("label").value.trim();
    const title = `Connect ${name}${label ? ` as ${label}` : ""}`;
    await begin({ page, connector, label, title, isInstalled }, element, problem);
  }
  const connect = button(`Connect ${name}`, {
    id: `connect-${id}`,
    onclick: (element) => start(element, false),
  });
  const words = make("p", { class: "quiet" }, stepWords(connector));
  const choices = [make("div", { class: "choice" }, connect, words)];
  if (connector.authorization === "installation") {
    const installed = button("It is installed already", {
      onclick: (element) => start(element, true),
    });
    const why = `${name} sends nobody back from an app that is installed: this only connects it.`;
    choices.push(make("div", { class: "choice" }, installed, make("p", { class: "quiet" }, why)));
  }
  return make("li", { class: "card" }, ...choices, problem);
}

function renderMissing({ name, command: text, makes, keys, otherwise }) {
  const file = make("code", {}, "config.yaml");
  return make(
    "li",
    { class: "card" },
    make("h3", {}, `${name} is not configured`),
    make("p", {}, `This command ${makes}:`),
    command(text),
    make("p", {}, "Then set ", ...codes(keys), " in ", file, " and restart."),
    otherwise && make("p", {}, "For one account without OAuth: ", ...codes(otherwise), "."),
  );
}

/** Begins to connect: goes to the vendor, or opens a form here. Without a label an account keeps the one it has. */
export async function begin({ page, connector, label, title, isInstalled }, element, problem) {
  clearMessages();
  if (label && isTaken(page.accounts, connector.id, label)) {
    const message = `Another ${connector.name} account is labelled “${label}”: choose another label.`;
    return showProblem(problem, new Error(message));
  }
  try {
    await busy(element, opening(connector), async () => {
      const step = await authorize(connector.id, label);
      if (step.type === "api_key") return openForm({ page, connector, label, title, step });
      const address = (isInstalled && step.installed_url) || step.url;
      if (!isWebAddress(address)) throw new Error(`${connector.name} gave no address to go to.`);
      location.assign(address);
      // The button stays as it is until the vendor's page is there.
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    });
  } catch (error) {
    showProblem(problem, error);
  }
}

function isTaken(accounts, connectorId, label) {
  return accounts.some(
    (account) =>
      account.connector_type === connectorId && account.label.toLowerCase() === label.toLowerCase(),
  );
}

function opening({ name, authorization }) {
  const isElsewhere = authorization === "oauth2" || authorization === "installation";
  return isElsewhere ? `Opening ${name}…` : "Opening the form…";
}
