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
export { ConnectorError, type ConnectorErrorKind } from "./errors.ts";
export type {
  ChannelKind,
  Delivery,
  InboundAuthor,
  InboundCommand,
  InboundEvent,
  InboundMessage,
} from "./inbound.ts";
export type {
  FindPosted,
  Messenger,
  OutboundPost,
  ReadThread,
  ThreadMessage,
} from "./messenger.ts";
export { Secret } from "./secret.ts";
