import { createHash } from "node:crypto";

import type { FileChange, JsonObject } from "./model.ts";
import type { Commit } from "./records.ts";
import type { RepositoryCall } from "./repository-call.ts";
import { timestamp } from "./timestamps.ts";
import { nodeId, wireActor } from "./wire.ts";
import { fullNameOf } from "./world.ts";

type About = Pick<RepositoryCall, "core" | "repository">;

export interface WiredChange {
  readonly filename: string;
  readonly additions: number;
  readonly deletions: number;
}

export function wireCommit({ core, repository }: About, commit: Commit): JsonObject {
  const { sha, message, author, atMs, parent } = commit;
  const fullName = fullNameOf(repository);
  const email = `${author.replaceAll(/[^\w.-]/g, "-")}@users.noreply.github.com`;
  const signature = { name: author, email, date: timestamp(atMs) };
  const actor = wireActor(core, author, core.world.findAccount(author));
  const commitUrl = `${core.apiUrl}/repos/${fullName}/commits`;
  return {
    sha,
    node_id: nodeId("C", atMs),
    url: `${commitUrl}/${sha}`,
    html_url: `${core.webUrl}/${fullName}/commit/${sha}`,
    comments_url: `${commitUrl}/${sha}/comments`,
    commit: {
      message,
      author: signature,
      committer: signature,
      tree: { sha: hash(`tree ${sha}`), url: `${core.apiUrl}/repos/${fullName}/git/trees` },
      url: `${core.apiUrl}/repos/${fullName}/git/commits/${sha}`,
      comment_count: 0,
      verification: { verified: false, reason: "unsigned", signature: null, payload: null },
    },
    author: actor,
    committer: actor,
    parents:
      parent === undefined
        ? []
        : [
            {
              sha: parent,
              url: `${commitUrl}/${parent}`,
              html_url: `${core.webUrl}/${fullName}/commit/${parent}`,
            },
          ],
  };
}

export function wireChanges(
  { core, repository }: About,
  files: readonly FileChange[],
  sha: string,
): readonly (WiredChange & JsonObject)[] {
  const fullName = fullNameOf(repository);
  return files.map(({ filename, patch }) => {
    const lines = patch.split("\n");
    const additions = lines.filter((line) => line.startsWith("+")).length;
    const deletions = lines.filter((line) => line.startsWith("-")).length;
    return {
      sha: hash(`blob ${patch}`),
      filename,
      status: deletions === 0 && patch.startsWith("@@ -0,0") ? "added" : "modified",
      additions,
      deletions,
      changes: additions + deletions,
      blob_url: `${core.webUrl}/${fullName}/blob/${sha}/${filename}`,
      raw_url: `${core.webUrl}/${fullName}/raw/${sha}/${filename}`,
      contents_url: `${core.apiUrl}/repos/${fullName}/contents/${filename}?ref=${sha}`,
      patch,
    };
  });
}

export function hash(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
