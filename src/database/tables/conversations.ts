import type { Generated } from "kysely";

export interface ChannelsTable {
  id: string;
  organization_id: string;
  integration_id: string;
  external_id: string;
  kind: string;
  monitoring: Generated<"off" | "people" | "alerts">;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface ConversationsTable {
  id: string;
  organization_id: string;
  integration_id: string | null;
  surface: "slack" | "grpc" | "console";
  external_key: string;
  channel_id: string | null;
  thread_id: string | null;
  fallback_channel_id: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

export interface MessagesTable {
  id: string;
  organization_id: string;
  conversation_id: string;
  external_id: string | null;
  author_kind: "person" | "agent" | "bot" | "service";
  author_id: string;
  author_name: string | null;
  text: string;
  turn_id: string | null;
  text_hash: string | null;
  sent_at: Date;
  created_at: Generated<Date>;
}

export interface TurnsTable {
  id: string;
  organization_id: string;
  conversation_id: string;
  message_id: string;
  trace_id: string;
  state: Generated<"queued" | "running" | "answered" | "failed" | "cancelled">;
  agent: string | null;
  failure: string | null;
  created_at: Generated<Date>;
  started_at: Date | null;
  finished_at: Date | null;
}

export interface PostsTable {
  id: string;
  organization_id: string;
  conversation_id: string;
  message_id: string;
  part: number;
  text: string;
  target: Generated<"conversation" | "fallback">;
  state: Generated<"waiting" | "posting" | "posted" | "failed">;
  attempted_at: Date | null;
  external_id: string | null;
  failure: string | null;
  created_at: Generated<Date>;
  posted_at: Date | null;
}
