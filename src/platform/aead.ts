import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM as `iv(12) || ciphertext || tag(16)` with a fresh random IV. */
export function sealBytes(key: KeyObject, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws for anything but the bytes that `sealBytes` made with this key and this authenticated data. */
export function openBytes(key: KeyObject, aad: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.byteLength < IV_BYTES + TAG_BYTES) throw new RangeError("The record is too short.");
  const tagAt = sealed.byteLength - TAG_BYTES;
  const iv = sealed.subarray(0, IV_BYTES);
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  // What update returns must not be seen before final has checked the tag.
  const plaintext = decipher.update(sealed.subarray(IV_BYTES, tagAt));
  try {
    decipher.final();
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
  return plaintext;
}

/**
 * Fields joined with their lengths, so that no two lists of fields give the same bytes:
 * each is `u32be(length) || bytes`.
 */
export function lengthPrefixed(...fields: readonly string[]): Uint8Array {
  const parts: Buffer[] = [];
  for (const field of fields) {
    const bytes = Buffer.from(field, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
