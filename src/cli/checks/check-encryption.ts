import { existsSync } from "node:fs";
import { placeOfKeys } from "#app";
import type { Config } from "#config";
import { checkSchema, type Database } from "#database";
import { checkKeys, hasStoredCredentials } from "#integrations";
import type { Abortable } from "#platform";
import { openKeyring } from "../open-keyring.ts";
import { failed, ok, type Finding } from "./finding.ts";

const NAME = "encryption keys";

/** Whether the keys can be read and open what is stored. Without a database only the former. */
export async function checkEncryption(
  { encryption }: Config,
  db: Database | undefined,
  { signal }: Abortable,
): Promise<readonly Finding[]> {
  const hasTables = db !== undefined && (await checkSchema(db)).missing.length === 0;
  try {
    if (encryption.provider === "file" && encryption.isGenerated && !existsSync(encryption.path)) {
      const isLost = hasTables && (await hasStoredCredentials(db));
      return isLost
        ? [failed(NAME, `${encryption.path} is gone, and stored credentials need it: restore it`)]
        : [ok(NAME, `none yet: the first start makes ${encryption.path}`)];
    }
    const keyring = await openKeyring(encryption);
    if (hasTables) await checkKeys({ db, keyring }, { signal });
    const place = placeOfKeys(encryption);
    return [ok(NAME, `${keyring.knownKeyIds().length} from ${place}`)];
  } catch (error) {
    return [failed(NAME, error)];
  }
}
