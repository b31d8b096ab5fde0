export type {
  ApiKeyAuthorization,
  Authorization,
  CredentialField,
  CredentialType,
  FieldValues,
  Grant,
  InstallationAuthorization,
  OAuth2Authorization,
  Refresh,
  RoleAuthorization,
  SetupFact,
} from "./authorization.ts";
export type { Card, CardAction, CardTone } from "./card.ts";
export {
  defineConnector,
  type AccountProfile,
  type Connection,
  type ConnectionHealth,
  type Connector,
  type ConnectorLog,
  type LinkState,
  type ListenContext,
  type Webhook,
  type WebhookOutcome,
  type WebhookReply,
  type WebhookRequest,
} from "./connector.ts";
export {
  fetchJson,
  kindOfStatus,
  retryAfterMsIn,
  type JsonAnswer,
  type JsonRequest,
} from "./fetch-json.ts";
export { fetchWhole, type VendorFetch, type VendorRequest } from "./fetch-whole.ts";
export { isNotSent, networkCodeOf } from "./network-code.ts";
export { isHmacSha256 } from "./verify-hmac.ts";
export { ConnectorError, type ConnectorErrorKind } from "./errors.ts";
export type {
  ChannelKind,
  Delivery,
  InboundAction,
  InboundAuthor,
  InboundCommand,
  InboundEvent,
  InboundMessage,
  InboundSignal,
  SignalSeverity,
} from "./inbound.ts";
export type {
  ChatProfile,
  FindPosted,
  MessageUpdate,
  Messenger,
  OutboundPost,
  ReadThread,
  ThreadMessage,
} from "./messenger.ts";
export {
  defineOperation,
  type Json,
  type Operation,
  type OperationOptions,
  type OperationRisk,
} from "./operation.ts";
export type { Resource, ResourcePage, Resources } from "./resources.ts";
export { Secret } from "./secret.ts";
export {
  arrayIn,
  cutText,
  idIn,
  isRecord,
  parseRecord,
  recordIn,
  textIn,
  type UntrustedRecord,
} from "./untrusted.ts";
