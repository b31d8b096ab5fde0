import { VENDOR_TIMEOUT_MS, authorize, call } from "./api.js";
import {
  busy,
  button,
  byId,
  clearMessages,
  copyButton,
  make,
  outsideLink,
  problemPlace,
  showProblem,
} from "./dom.js";
import { sentence } from "./words.js";

const TIMED = { timeoutMs: VENDOR_TIMEOUT_MS };

/** Shows the fields of a step, and what to set up at the vendor before; `values` are what was typed in before. */
export function openForm({ page, connector, label, title, step, values = {} }) {
  const { name } = connector;
  const heading = make("h3", { id: "form-title", tabindex: "-1" }, title);
  const problem = problemPlace();
  const submit = make("button", { type: "submit", class: "primary" }, make("span", {}, "Connect"));
  const form = make(
    "form",
    { class: "card", "aria-labelledby": "form-title", autocomplete: "off" },
    heading,
    setupSteps(step, name),
    ...step.fields.map((field) => renderField(field, values[field.name] ?? "")),
    problem,
    make(
      "div",
      { class: "actions" },
      submit,
      button("Cancel", { onclick: () => close(connector) }),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send({ page, connector, label, title, step, form, submit, problem });
  });
  byId("form-place").replaceChildren(form);
  heading.focus();
  return problem;
}

function close({ id }) {
  byId("form-place").replaceChildren();
  byId(`connect-${id}`)?.focus();
}

function setupSteps({ setup = [], url }, name) {
  if (setup.length === 0 && url === undefined) return undefined;
  return make(
    "div",
    { class: "setup" },
    make("p", {}, `First, set this up at ${name}:`),
    ...setup.map(({ label, value, help }) =>
      make(
        "div",
        {},
        make("p", { class: "label" }, label),
        make("p", { class: "command" }, make("code", {}, value), copyButton(value, label)),
        help && make("p", { class: "quiet" }, help),
      ),
    ),
    url !== undefined && make("p", {}, outsideLink(url, `Open ${name} with this filled in`)),
    make("p", {}, "Then come back to this form within ten minutes."),
  );
}

function renderField({ name, label, help, secret, optional, choices }, value) {
  const id = `field-${name}`;
  const common = {
    id,
    name,
    required: !optional,
    "aria-describedby": help ? `${id}-help` : undefined,
  };
  const quiet = make("span", { class: "quiet" }, " (optional)");
  return make(
    "div",
    { class: "field" },
    make("label", { for: id }, label, optional && quiet),
    choices ? choose(common, choices, value) : input(common, secret, value),
    help && make("p", { class: "quiet", id: `${id}-help` }, help),
  );
}

function input(common, secret, value) {
  const element = make("input", {
    ...common,
    type: secret ? "password" : "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
  });
  element.value = value;
  return element;
}

function choose(common, choices, value) {
  const options = choices.map((choice) => make("option", { value: choice }, choice));
  const element = make("select", common, make("option", { value: "" }, "Choose…"), ...options);
  element.value = value;
  return element;
}

async function send({ page, connector, label, title, step, form, submit, problem }) {
  clearMessages();
  const values = Object.fromEntries(new FormData(form));
  const request = { connector_type: connector.id };
  try {
    const account = await busy(submit, "Connecting…", async () => {
      // Asked first, because a refused callback uses the state up, and with it the id that a role names.
      const credentials = { ...values, ...externalId(step) };
      const { valid, errors } = await call(
        "/integrations/validate",
        { ...request, credentials },
        TIMED,
      );
      if (!valid) throw new Error(errors.map(sentence).join(" "));
      const answer = { ...request, state: step.state, credentials: values };
      return call("/integrations/callback", answer, TIMED).catch((error) =>
        again({ page, connector, label, title, values, error }),
      );
    });
    if (!account) return;
    await page.connected(account);
    byId("form-place").replaceChildren();
    byId("label").value = "";
  } catch (error) {
    showProblem(problem, error);
  }
}

function externalId({ setup = [] }) {
  const fact = setup.find(({ name }) => name === "external_id");
  return fact && { external_id: fact.value };
}

/** The state may be used up: the same form with a new one. */
async function again({ page, connector, label, title, values, error }) {
  const step = await authorize(connector.id, label);
  const problem = openForm({ page, connector, label, title, step, values });
  const note = step.setup
    ? "What to set up has changed: see above, then press Connect."
    : "Press Connect to try again.";
  showProblem(problem, new Error(`${sentence(error.message)} ${note}`));
}
