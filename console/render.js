import { button, isWebAddress, make, outsideLink, problemPlace } from "./dom.js";
import { healthWords, mendOf, reasonWords, relativeTime, sentence, titleOf } from "./words.js";

const SYMBOLS = { good: "✓", warning: "!", bad: "✕", neutral: "·" };

/** The row of an account. `actions` are called with the account and the pressed button. */
export function renderAccount(account, connector, actions) {
  const title = titleOf(account);
  const vendor = connector?.name ?? account.connector_type;
  const { tone, words } = healthWords(account);
  const titleId = `account-${account.id}`;
  return make(
    "li",
    { class: "card", id: `row-${account.id}`, "aria-labelledby": titleId },
    make(
      "div",
      { class: "head" },
      make("h3", { id: titleId, tabindex: "-1" }, title),
      make(
        "p",
        { class: `badge tone ${tone}` },
        make("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[tone]),
        words,
      ),
    ),
    make("p", { class: "quiet" }, `${vendor} · `, accountName(account)),
    detail(account),
    facts(account),
    reconnectHint(account, connector),
    problemPlace(),
    buttons(account, connector, actions, `${title}, ${vendor}`),
  );
}

function accountName({ metadata, connector_organization_id: id }) {
  const name = metadata.account_name || id;
  return metadata.url ? outsideLink(metadata.url, name) : name;
}

function detail({ health }) {
  return health.detail && make("p", {}, sentence(health.detail));
}

function facts({ health }) {
  const missing = health.missing_permissions;
  return make(
    "dl",
    {},
    ...(missing.length > 0
      ? [make("dt", {}, "Missing permissions"), make("dd", {}, ...codes(missing))]
      : []),
    make("dt", {}, "Last success"),
    make("dd", {}, time(health.last_success_at)),
    make("dt", {}, "Last checked"),
    make("dd", {}, time(health.checked_at)),
  );
}

/** Words between spaces, so that a long list wraps. */
export function codes(names) {
  return names.flatMap((name, index) => [index > 0 && " ", make("code", {}, name)]);
}

function time(at) {
  const words = relativeTime(at, new Date());
  if (!at) return words;
  return make("time", { datetime: at, title: new Date(at).toLocaleString() }, words);
}

/** Brings "3 minutes ago" up to date. */
export function renewTimes() {
  for (const element of document.querySelectorAll("time")) {
    element.textContent = relativeTime(element.dateTime, new Date());
  }
}

/** Says why there is no button that would mend it. */
function reconnectHint(account, connector) {
  const { tone } = healthWords(account);
  const isIll = tone === "bad" || tone === "warning";
  const reason = reasonWords(connector);
  const words = `It cannot be reconnected here. ${reason}`;
  return isIll && reason !== "" && make("p", { class: "quiet" }, words);
}

function buttons(account, connector, actions, of) {
  const mend = mendOf(account, connector);
  const isVendors = mend === "vendor" && isWebAddress(account.metadata.url);
  const vendorLink =
    isVendors &&
    outsideLink(account.metadata.url, `Open at ${connector?.name ?? account.connector_type}`, {
      class: "primary",
      "data-mend": "vendor",
    });
  const reconnect =
    reasonWords(connector) === "" &&
    button("Reconnect", {
      of,
      class: mend && !isVendors ? "primary" : "",
      "data-mend": "reconnect",
      onclick: (element) => actions.reconnect(account, element),
    });
  return make(
    "div",
    { class: "actions" },
    vendorLink,
    button("Check now", {
      of,
      "data-action": "check",
      onclick: (element) => actions.check(account, element),
    }),
    reconnect,
    button("Disconnect", {
      of,
      class: "quiet-danger",
      onclick: () => actions.disconnect(account),
    }),
  );
}
