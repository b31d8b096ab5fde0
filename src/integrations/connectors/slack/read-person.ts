import {
  type ChatProfile,
  type Connection,
  cutText,
  idIn,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "@infragpt/connector-kit";
import { getBotToken } from "./bot-token.ts";
import type { SlackCaller } from "./web-client.ts";

const NAME_CHARACTERS_MAX = 200;
const EMAIL_CHARACTERS_MAX = 320;

/** Asks Slack who somebody is; the e-mail address needs the scope users:read.email. Throws ConnectorError. */
export async function readPerson(
  caller: SlackCaller,
  connection: Connection,
  personId: string,
  options: { readonly signal: AbortSignal },
): Promise<ChatProfile> {
  const { body } = await caller.call(
    getBotToken(connection),
    "users.info",
    { user: personId },
    options,
  );
  const user = recordIn(body, "user");
  const profile = recordIn(user, "profile");
  const email = textIn(profile, "email");
  const name = textIn(profile, "display_name") ?? textIn(user, "real_name") ?? textIn(user, "name");
  const isVerified = user["is_email_confirmed"] === true;
  return {
    name: cutText(name ?? personId, NAME_CHARACTERS_MAX),
    isActive: user["deleted"] !== true && user["is_bot"] !== true,
    isStranger: user["is_stranger"] === true || !isOfAccount(user, connection),
    isGuest: user["is_restricted"] === true || user["is_ultra_restricted"] === true,
    ...(email && isVerified && email.length <= EMAIL_CHARACTERS_MAX
      ? { verifiedEmail: email }
      : {}),
  };
}

/** People of an organization-wide install have its id beside that of their workspace. */
function isOfAccount(user: UntrustedRecord, { accountId }: Connection): boolean {
  const enterpriseId = idIn(recordIn(user, "enterprise_user"), "enterprise_id");
  return idIn(user, "team_id") === accountId || enterpriseId === accountId;
}
