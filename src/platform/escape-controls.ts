// JSON leaves some of these as they are: DEL and C1 (0x9b begins a terminal sequence), line and
// paragraph separators, and the marks that turn the direction of text around.
// oxlint-disable-next-line eslint/no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Text that cannot begin a line of its own or steer a terminal; what is taken out reads `\u000a`. */
export function escapeControls(text: string): string {
  return text.replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
