import type {
  ChannelsTable,
  ConversationsTable,
  MessagesTable,
  PostsTable,
  TurnsTable,
} from "./conversations.ts";
import type { OrganizationsTable, ServiceTokensTable } from "./identity.ts";
import type {
  InboxTable,
  IntegrationCredentialsTable,
  IntegrationsTable,
  KeyCanariesTable,
} from "./integrations.ts";

/** Every table of every room: Kysely is invariant, so types for single rooms do not compose. */
export interface Tables {
  organizations: OrganizationsTable;
  service_tokens: ServiceTokensTable;
  integrations: IntegrationsTable;
  integration_credentials: IntegrationCredentialsTable;
  key_canaries: KeyCanariesTable;
  inbox: InboxTable;
  channels: ChannelsTable;
  conversations: ConversationsTable;
  messages: MessagesTable;
  turns: TurnsTable;
  posts: PostsTable;
}
