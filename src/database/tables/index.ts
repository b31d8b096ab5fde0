import type {
  AuditEntriesTable,
  AuditHeadsTable,
  AuditSignedHeadsTable,
  AuditSigningKeysTable,
} from "./audit.ts";
import type {
  ChannelsTable,
  ConversationsTable,
  MessagesTable,
  PostsTable,
  TurnsTable,
} from "./conversations.ts";
import type {
  ChatLinksTable,
  ChatUsersTable,
  DirectoryDeliveriesTable,
  LocalSessionsTable,
  LoginLinksTable,
  MembershipsTable,
  OrganizationsTable,
  RoleMappingsTable,
  ServiceTokensTable,
  UsersTable,
} from "./identity.ts";
import type {
  AuthorizationStatesTable,
  HealthCardsTable,
  InboxTable,
  IntegrationCredentialsTable,
  IntegrationResourcesTable,
  IntegrationsTable,
  KeyCanariesTable,
  KeyStatusTable,
  RevocationCredentialsTable,
  UndecryptableRecordsTable,
} from "./integrations.ts";

/** Every table of every room: Kysely is invariant, so types for single rooms do not compose. */
export interface Tables {
  organizations: OrganizationsTable;
  users: UsersTable;
  memberships: MembershipsTable;
  role_mappings: RoleMappingsTable;
  directory_deliveries: DirectoryDeliveriesTable;
  login_links: LoginLinksTable;
  local_sessions: LocalSessionsTable;
  chat_users: ChatUsersTable;
  chat_links: ChatLinksTable;
  service_tokens: ServiceTokensTable;
  integrations: IntegrationsTable;
  integration_credentials: IntegrationCredentialsTable;
  authorization_states: AuthorizationStatesTable;
  revocation_credentials: RevocationCredentialsTable;
  integration_resources: IntegrationResourcesTable;
  health_cards: HealthCardsTable;
  key_canaries: KeyCanariesTable;
  key_status: KeyStatusTable;
  undecryptable_records: UndecryptableRecordsTable;
  inbox: InboxTable;
  channels: ChannelsTable;
  conversations: ConversationsTable;
  messages: MessagesTable;
  turns: TurnsTable;
  posts: PostsTable;
  audit_heads: AuditHeadsTable;
  audit_entries: AuditEntriesTable;
  audit_signing_keys: AuditSigningKeysTable;
  audit_signed_heads: AuditSignedHeadsTable;
}
