import {
  AppError,
  type Principal,
  type RawAnswer,
  type RawRequest,
  type RawRoute,
} from "#platform";
import type { Credentials } from "../authenticate.ts";
import type { IdentityDeps } from "../deps.ts";
import { isOwnPage } from "../local/guards.ts";
import { page } from "../page.ts";
import { confirmChatLink, readChatLink } from "./confirm-chat-link.ts";
import { asPerson } from "./routes.ts";
import type { ChatLink } from "./store.ts";

export interface LinkPageDeps extends IdentityDeps {
  readonly publicUrl: () => string;
  readonly authenticate: (credentials: Credentials) => Promise<Principal | undefined>;
}

const FORM_BYTES_MAX = 4_096;

/** `GET /link` asks, naming both sides; `POST /link` does it. Opening the page changes nothing: chats fetch links for previews. */
export function linkPageRoutes(deps: LinkPageDeps): readonly RawRoute[] {
  return [
    {
      method: "GET",
      path: "/link",
      bodyBytesMax: 0,
      handle: (request) => answer(deps, request, ask),
    },
    {
      method: "POST",
      path: "/link",
      bodyBytesMax: FORM_BYTES_MAX,
      handle: (request) => answer(deps, request, confirm),
    },
  ];
}

type Person = Principal & { readonly userId: string };

async function answer(
  deps: LinkPageDeps,
  request: RawRequest,
  respond: (deps: LinkPageDeps, person: Person, request: RawRequest) => Promise<RawAnswer>,
): Promise<RawAnswer> {
  try {
    const principal = await deps.authenticate(
      credentialsOf(request, respond === ask ? "GET" : "POST"),
    );
    if (!principal) return signInFirst();
    return await respond(deps, asPerson(principal), request);
  } catch (error) {
    if (error instanceof AppError && error.code === "forbidden") {
      return page(403, "Not possible", [error.message]);
    }
    throw error;
  }
}

async function ask(deps: LinkPageDeps, person: Person, request: RawRequest): Promise<RawAnswer> {
  const token = request.query.get("token") ?? "";
  const link = await readChatLink(deps, person, token);
  if (!link) return usedUp();
  return page(
    200,
    `Link ${chatName(link)} to ${nameOf(person)}?`,
    [
      `What ${chatName(link)} asks for in the chat will be done with the permissions of ${nameOf(person)}.`,
      "Go on only if this account is yours and you asked for this link yourself.",
    ],
    { action: "/link", fields: { token }, button: "Link them" },
  );
}

async function confirm(
  deps: LinkPageDeps,
  person: Person,
  { headers, body }: RawRequest,
): Promise<RawAnswer> {
  const { host, origin } = headers;
  // Behind a proxy the Host may be another than the one that the browser sees.
  const isOurs = origin !== undefined && origin === URL.parse(deps.publicUrl())?.origin;
  if (!isOurs && !isOwnPage({ peer: "", method: "POST", host, origin })) {
    return page(403, "Not possible", ["The form has to be sent from this service's own page."]);
  }
  const token = new URLSearchParams(Buffer.from(body).toString("utf8")).get("token") ?? "";
  const link = await confirmChatLink(deps, person, token);
  if (!link) return usedUp();
  return page(200, "Linked", [
    `${chatName(link)} now acts as ${nameOf(person)}. /infragpt unlink ends it.`,
  ]);
}

function credentialsOf({ headers, remoteAddress }: RawRequest, method: string): Credentials {
  const { authorization, cookie, host, origin } = headers;
  const session = clerkCookie(cookie);
  return {
    // Clerk's own cookie, where this service and the application share a domain.
    authorization: authorization ?? (session === undefined ? undefined : `Bearer ${session}`),
    cookie,
    peer: remoteAddress,
    method,
    host,
    origin,
  };
}

function clerkCookie(header: string | undefined): string | undefined {
  return /(?:^|;\s*)__session=([\w.-]{1,8192})(?:;|$)/.exec(header?.slice(0, 16_384) ?? "")?.[1];
}

function chatName(link: ChatLink): string {
  return `chat user @${link.chatUserName} (${link.chatUserId}) of ${link.workspaceName}`;
}

function nameOf({ name, id }: Principal): string {
  return name || id;
}

function signInFirst(): RawAnswer {
  return page(401, "Sign in first", [
    "Sign in to this service in the same browser, then open the link again.",
  ]);
}

function usedUp(): RawAnswer {
  return page(404, "This link is used up", [
    "A link works once and for a quarter of an hour, for people of the organization it was made for.",
    "Say /infragpt link in the chat to get a new one.",
  ]);
}
