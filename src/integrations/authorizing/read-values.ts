import { Secret, type CredentialField, type FieldValues } from "@infragpt/connector-kit";
import { AppError } from "#platform";

const VALUE_CHARACTERS_MAX = 16_384;

/** The values of a form, checked against its fields. Throws invalid_request with the fields at fault, never with a value. */
export function readValues(
  fields: readonly CredentialField[],
  given: Readonly<Record<string, string>>,
): FieldValues {
  const problems = findProblems(fields, given);
  if (problems.length > 0) {
    throw new AppError("invalid_request", `credentials: ${problems.join("; ")}.`, {
      details: { credentials: problems },
    });
  }
  const values: Record<string, Secret> = {};
  for (const { name } of fields) {
    const value = valueOf(given, name);
    if (value !== "") values[name] = new Secret(value);
  }
  return values;
}

/** One sentence for each field at fault. */
export function findProblems(
  fields: readonly CredentialField[],
  given: Readonly<Record<string, string>>,
): readonly string[] {
  const known = new Set(fields.map((field) => field.name));
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `${name.slice(0, 60)} is not asked for`),
    ...fields.flatMap((field) => findProblem(field, valueOf(given, field.name)) ?? []),
  ];
}

function findProblem(
  { name, isOptional, choices }: CredentialField,
  value: string,
): string | undefined {
  if (value === "") return isOptional === true ? undefined : `${name} is missing`;
  if (value.length > VALUE_CHARACTERS_MAX) return `${name} is too long`;
  if (value.includes("\u0000")) return `${name} has a character that cannot be`;
  if (choices && !choices.includes(value)) return `${name} is one of ${choices.join(", ")}`;
  return undefined;
}

/** What is copied from a page often brings spaces along. */
function valueOf(given: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(given, name) ? (given[name]?.trim() ?? "") : "";
}
