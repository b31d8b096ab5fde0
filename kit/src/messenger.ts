import type { Card } from "./card.ts";
import type { Connection } from "./connector.ts";
import type { InboundAuthor } from "./inbound.ts";

interface Abortable {
  readonly signal: AbortSignal;
}

/** One message to post. */
export interface OutboundPost {
  readonly channelId: string;
  /** Absent: not in a thread. */
  readonly threadId?: string;
  /** Markdown, one part as `split` made it. */
  readonly text: string;
  /** Shown instead of the text, which then is what notifications say. */
  readonly card?: Card;
  /** Travels with the message, so that `find` recognises it. At most 100 characters. */
  readonly idempotencyKey: string;
}

/** What a message of ours says from now on. */
export interface MessageUpdate {
  readonly channelId: string;
  readonly messageId: string;
  readonly text: string;
  readonly card?: Card;
}

export interface FindPosted {
  readonly channelId: string;
  readonly threadId?: string;
  readonly idempotencyKey: string;
  /** No earlier message can be it. */
  readonly since: Date;
}

export interface ReadThread {
  readonly channelId: string;
  readonly threadId: string;
  /** Only messages before this one. */
  readonly beforeMessageId: string;
  readonly messagesMax: number;
}

export interface ThreadMessage {
  readonly messageId: string;
  readonly author: InboundAuthor;
  readonly text: string;
  readonly sentAt: Date;
  /** Written by our own bot. */
  readonly isOwn: boolean;
}

/** Somebody in a chat, as the vendor knows them now. */
export interface ChatProfile {
  readonly name: string;
  /** Neither deleted nor suspended. */
  readonly isActive: boolean;
  /** Of another workspace or company, present through a shared channel. */
  readonly isStranger: boolean;
  readonly isGuest: boolean;
  /** Only where the vendor verified it. */
  readonly verifiedEmail?: string;
}

/** How a connector talks in its vendor's chat. Every call throws ConnectorError and makes one attempt: the caller retries. */
export interface Messenger {
  /** Cuts Markdown into parts that the vendor takes whole: at headings, paragraphs and fences, losing nothing. */
  split(markdown: string): readonly string[];
  post(
    connection: Connection,
    post: OutboundPost,
    options: Abortable,
  ): Promise<{ readonly messageId: string }>;
  /** Changes a message that we posted. May run twice. */
  update(connection: Connection, update: MessageUpdate, options: Abortable): Promise<void>;
  /** Looks for a post whose outcome is unknown. */
  find(
    connection: Connection,
    query: FindPosted,
    options: Abortable,
  ): Promise<{ readonly messageId: string } | undefined>;
  /** Earlier messages of a thread, oldest first. */
  readThread(
    connection: Connection,
    query: ReadThread,
    options: Abortable,
  ): Promise<readonly ThreadMessage[]>;
  /** Shows that an answer is being worked on; an empty text ends it. */
  showStatus(
    connection: Connection,
    status: { readonly channelId: string; readonly threadId: string; readonly text: string },
    options: Abortable,
  ): Promise<void>;
  /** Answers a command, visible to its author only. */
  respond(
    connection: Connection,
    answer: { readonly responseUrl: string; readonly text: string },
    options: Abortable,
  ): Promise<void>;
  /** Who somebody is, by the id that messages and commands carry. Needed where people act with permissions of their own. */
  readPerson?(connection: Connection, personId: string, options: Abortable): Promise<ChatProfile>;
  /** The channel of direct messages with somebody; where `post` and `update` reach them. May run twice. */
  openDirect?(
    connection: Connection,
    personId: string,
    options: Abortable,
  ): Promise<{ readonly channelId: string }>;
}
