export { startFakeClerk, type FakeClerk, type SignedDelivery } from "./fake-clerk.ts";
export { membershipEvent, organizationEvent, userEvent, type ClerkEvent } from "./events.ts";
