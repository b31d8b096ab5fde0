import { ConnectorError, type Resource, type Resources } from "@infragpt/connector-kit";
import { nextPageIn, type GitHubCalls } from "./calls.ts";

const PAGE_SIZE = 100;

/** The repositories that an installation shares, with what it may do there. */
export function createResources(calls: GitHubCalls): Resources {
  return {
    async list(connection, { pageToken = "1" }, options) {
      const page = Number(pageToken);
      if (!Number.isInteger(page)) throw new ConnectorError("rejected", "the page is not a number");
      return calls.run(connection, { needs: ["metadata:read"] }, options, async (request) => {
        const { data, headers } = await request("GET /installation/repositories", {
          per_page: PAGE_SIZE,
          page,
        });
        const next = nextPageIn(headers);
        return {
          resources: data.repositories.map(toResource),
          ...(next !== undefined && { nextPageToken: String(next) }),
        };
      });
    },
  };
}

interface Repository {
  readonly id: number | bigint;
  readonly full_name: string;
  readonly html_url: string;
  readonly default_branch?: string;
  readonly private?: boolean;
  readonly archived?: boolean;
  readonly permissions?: object;
}

function toResource(repository: Repository): Resource {
  const { permissions = {} } = repository;
  const held = Object.entries(permissions).filter(([, isHeld]) => isHeld === true);
  return {
    id: String(repository.id),
    kind: "repository",
    name: repository.full_name,
    url: repository.html_url,
    permissions: Object.fromEntries(held.map(([name]) => [name, "granted"])),
    metadata: {
      default_branch: repository.default_branch ?? "",
      visibility: repository.private === true ? "private" : "public",
      archived: String(repository.archived ?? false),
    },
  };
}
