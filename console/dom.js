import { sentence } from "./words.js";

export function byId(id) {
  return document.getElementById(id);
}

/**
 * An element. Children are elements or strings, and strings become text: nothing that came over the
 * wire is ever read as HTML. Attributes that are false, null or undefined are left out.
 */
export function make(tag, { onclick, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  if (onclick) element.addEventListener("click", () => void onclick(element));
  element.append(...children.filter(Boolean));
  return element;
}

/** A button; `of` is what it is about, for people who hear the button alone. */
export function button(words, { of, ...attributes }) {
  const about = of && make("span", { class: "heard" }, ` ${of}`);
  return make("button", { type: "button", ...attributes }, make("span", {}, words), about);
}

/** A button that copies a text and says so. */
export function copyButton(text, of) {
  return button("Copy", {
    of,
    class: "small",
    async onclick(element) {
      const words = element.querySelector("span");
      try {
        await navigator.clipboard.writeText(text);
        words.textContent = "Copied";
      } catch {
        // Browsers lend the clipboard to https and localhost only.
        getSelection()?.selectAllChildren(element.previousElementSibling);
        words.textContent = "Press Ctrl+C";
      }
      setTimeout(() => (words.textContent = "Copy"), 2_000);
    },
  });
}

/** A command to type in, with a button that copies it. */
export function command(text) {
  return make("p", { class: "command" }, make("code", {}, text), copyButton(text, text));
}

/** A link to somewhere else; plain text where the address is none of the web. */
export function outsideLink(href, words, attributes = {}) {
  if (!isWebAddress(href)) return words;
  const outside = { href, target: "_blank", rel: "noopener noreferrer", ...attributes };
  return make("a", outside, words, make("span", { class: "heard" }, " (opens a new tab)"));
}

export function isWebAddress(href) {
  return /^https?:$/.test(URL.parse(href ?? "")?.protocol ?? "");
}

/** Says on the button what is under way, and takes no second press until it has ended. */
export async function busy(element, words, work) {
  const shown = element.querySelector("span");
  const before = shown.textContent;
  shown.textContent = words;
  element.disabled = true;
  element.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    shown.textContent = before;
    element.disabled = false;
    element.removeAttribute("aria-busy");
    // A button that was disabled has lost the focus of the keyboard.
    if (element.isConnected && document.activeElement === document.body) element.focus();
  }
}

/** Shows what happened at the top of the page, read aloud when there is time. */
export function notify(text, tone = "good") {
  clearMessages();
  byId("notice").replaceChildren(make("p", { class: `tone ${tone}` }, text));
}

/** Shows why something did not work, next to what was tried: read aloud at once, and focused. */
export function showProblem(place, error) {
  // What to do then is shown in the place of everything else.
  if (error.status === 401) return;
  clearMessages();
  place.replaceChildren(make("p", { class: "tone bad" }, sentence(error.message)));
  place.focus();
}

/** Nothing that was said before is left to be taken for an answer to what is done now. */
export function clearMessages() {
  for (const place of document.querySelectorAll(".message")) place.replaceChildren();
}

/** Where `showProblem` shows what goes wrong with something. */
export function problemPlace() {
  return make("div", { class: "message", role: "alert", tabindex: "-1" });
}
