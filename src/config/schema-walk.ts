import { z } from "zod";
import { isSecretField } from "./fields.ts";
import type { Path } from "./problems.ts";

/** The fields a section of the schema has, or undefined where it is not a section. */
export function fieldsAt(schema: z.ZodType, path: Path): Record<string, z.ZodType> | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    if (current instanceof z.ZodObject) current = unwrap(current.shape[part]);
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
    else return undefined;
  }
  return current instanceof z.ZodObject ? current.shape : undefined;
}

/** Whether `<key>_file` may stand for the field. */
export function isSecret(field: z.ZodType | undefined): boolean {
  return field !== undefined && isSecretField(unwrap(field) ?? field);
}

/** Every key of the schema with its path, such as "slack.app_token" and "agents[].name". */
export function listKeys(schema: unknown, prefix = ""): readonly string[] {
  const current = unwrap(schema);
  if (current instanceof z.ZodArray) return listKeys(current.element, `${prefix}[]`);
  if (!(current instanceof z.ZodObject)) return [];
  return Object.entries(current.shape).flatMap(([key, field]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return [path, ...listKeys(field, path)];
  });
}

function unwrap(schema: unknown): z.ZodType | undefined {
  let current = schema;
  while (
    current instanceof z.ZodOptional ||
    current instanceof z.ZodDefault ||
    current instanceof z.ZodPrefault
  ) {
    current = current.unwrap();
  }
  return current instanceof z.ZodType ? current : undefined;
}
