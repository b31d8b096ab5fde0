import { defineEvent } from "#platform";

/** An organization is gone: its accesses ended in the same transaction; credentials and grants are to follow. */
export const organizationDeleted = defineEvent<{ readonly organizationId: string }>(
  "organization-deleted",
);
