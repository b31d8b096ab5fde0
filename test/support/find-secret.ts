/** The codings in which a text holds a secret: plain, base64, hex and URL, wherever in three bytes it starts. */
export function findSecret(text: Buffer, secret: Buffer): readonly string[] {
  const found = Object.entries(codingsOf(secret)).filter(([, forms]) =>
    forms.some((form) => text.includes(form)),
  );
  return found.map(([coding]) => coding);
}

function codingsOf(secret: Buffer): Readonly<Record<string, readonly (string | Buffer)[]>> {
  const hex = secret.toString("hex");
  const percent = hex.replaceAll(/../g, (pair) => `%${pair}`);
  const inUrl = encodeURIComponent(secret.toString("latin1"));
  const isPlainInUrl = inUrl === secret.toString("latin1");
  return {
    plain: [secret],
    base64: [0, 1, 2].flatMap((before) => base64At(secret, before)),
    hex: [hex, hex.toUpperCase()],
    url: [
      percent,
      percent.toUpperCase(),
      ...(isPlainInUrl ? [] : [inUrl, inUrl.replaceAll("%20", "+"), inUrl.toLowerCase()]),
    ],
  };
}

/** The characters that depend on the secret alone when it begins so many bytes into a group of three. */
function base64At(secret: Buffer, before: number): readonly string[] {
  const coded = Buffer.concat([Buffer.alloc(before), secret]).toString("base64");
  const first = Math.ceil((before * 8) / 6);
  const last = Math.floor(((before + secret.length) * 8) / 6);
  const piece = coded.slice(first, last);
  return [piece, piece.replaceAll("+", "-").replaceAll("/", "_")];
}
