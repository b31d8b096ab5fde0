/** A secret in the forms it takes on its way: as it is, in JSON, in a URL, in base64 and in hex. */
export function encodingsOf(value: string): ReadonlySet<string> {
  const bytes = Buffer.from(value, "utf8");
  const inJson = JSON.stringify(value).slice(1, -1);
  const inUrl = encodeURIComponent(value);
  return new Set([
    value,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    inUrl,
    inUrl.replaceAll("%20", "+"),
    inUrl.replaceAll(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase()),
    bytes.toString("hex"),
    ...base64FormsOf(bytes),
  ]);
}

/** Pieces shorter than this would hit ordinary text. */
const PIECE_CHARS_MIN = 8;

/**
 * Base64 depends on where a value starts within three bytes, as in `Basic base64(user:secret)`: the
 * characters that only depend on the value, for each of the three places.
 */
function base64FormsOf(bytes: Buffer): readonly string[] {
  const forms: string[] = [bytes.toString("base64"), bytes.toString("base64url")];
  for (const before of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const head = Math.ceil((before * 8) / 6);
    const whole = Math.floor(((before + bytes.length) * 8) / 6);
    const piece = encoded.slice(head, whole);
    if (piece.length < PIECE_CHARS_MIN) continue;
    forms.push(piece, piece.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return forms;
}
