import type { Migration } from "../migrate.ts";
import { foundation } from "./0001-foundation.ts";
import { audit } from "./0002-audit.ts";
import { identity } from "./0003-identity.ts";
import { rowLevelSecurity } from "./0004-row-level-security.ts";
import { connections } from "./0005-connections.ts";
import { keyRotation } from "./0006-key-rotation.ts";
import { suspensions } from "./0007-suspensions.ts";

/** In order. A merged migration is never edited; the next one mends it. */
export const migrations: readonly Migration[] = [
  foundation,
  audit,
  identity,
  rowLevelSecurity,
  connections,
  keyRotation,
  suspensions,
];
