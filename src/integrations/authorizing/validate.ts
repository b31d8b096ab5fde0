import { ConnectorError, type AccountProfile, type Connector } from "@infragpt/connector-kit";
import { assertCan } from "#identity";
import { AppError, deadline, type Abortable, type Principal } from "#platform";
import { getConnector } from "../connections.ts";
import { secretsOf } from "./callback.ts";
import { findProblems, readValues } from "./read-values.ts";

const VALIDATE_TIMEOUT_MS = 20_000;
/** Beside the fields of a role: the id that `authorize` gave for it. */
const EXTERNAL_ID = "external_id";

export interface Validation {
  readonly isValid: boolean;
  /** For people, without a value. */
  readonly errors: readonly string[];
  readonly profile?: AccountProfile;
}

/** Asks the vendor whether credentials work, and stores nothing. */
export async function validate(
  deps: { readonly connectors: ReadonlyMap<string, Connector> },
  principal: Principal,
  input: {
    readonly connectorId: string;
    readonly credentials: Readonly<Record<string, string>>;
  },
  options: Abortable,
): Promise<Validation> {
  assertCan(principal, "integration:connect");
  const connector = getConnector(deps.connectors, input.connectorId);
  try {
    return await ask(connector, input.credentials, {
      signal: deadline(options.signal, VALIDATE_TIMEOUT_MS),
    });
  } catch (error) {
    if (!(error instanceof ConnectorError)) throw error;
    return { isValid: false, errors: [error.message] };
  }
}

async function ask(
  connector: Connector,
  given: Readonly<Record<string, string>>,
  options: Abortable,
): Promise<Validation> {
  const { authorization } = connector;
  if (authorization?.kind === "api_key" || authorization?.kind === "role") {
    const { [EXTERNAL_ID]: externalId = "", ...rest } = given;
    const fields = authorization.kind === "role" ? rest : given;
    const errors = [
      ...findProblems(authorization.fields, fields),
      ...(authorization.kind === "role" && externalId === ""
        ? [`${EXTERNAL_ID} is missing: authorize gives it`]
        : []),
    ];
    if (errors.length > 0) return { isValid: false, errors };
    const values = readValues(authorization.fields, fields);
    const { profile } =
      authorization.kind === "role"
        ? await authorization.complete({ values, externalId }, options)
        : await authorization.complete({ values }, options);
    return { isValid: true, errors: [], profile };
  }
  if (!connector.identify) {
    throw new AppError(
      "invalid_request",
      `${connector.name} is connected on its own pages: there is nothing to validate.`,
    );
  }
  const profile = await connector.identify(secretsOf(given), options);
  return { isValid: true, errors: [], profile };
}
