import { type Route, numberParameter, query } from "../call.ts";
import type { JsonObject } from "../model.ts";
import { listAnswer } from "../pages.ts";
import type { Deployment } from "../records.ts";
import { notFound } from "../refusal.ts";
import { type RepositoryCall, repositoryRoute } from "../repository-call.ts";
import { timestamp } from "../timestamps.ts";
import { nodeId, wireActor } from "../wire.ts";
import { fullNameOf } from "../world.ts";

/** What was brought where. */
export const DEPLOYMENT_ROUTES: readonly Route[] = [
  repositoryRoute("GET /repos/{owner}/{repo}/deployments", "deployments:read", (call) => {
    const [environment, ref, sha] = [
      query(call, "environment"),
      query(call, "ref"),
      query(call, "sha"),
    ];
    const found = call.repository.deployments
      .filter((each) => environment === undefined || each.environment === environment)
      .filter((each) => ref === undefined || each.ref === ref)
      .filter((each) => sha === undefined || each.sha === sha);
    return listAnswer(call, found.toReversed(), (each) => wireDeployment(call, each));
  }),
  repositoryRoute(
    "GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    "deployments:read",
    (call) => {
      const id = numberParameter(call, "deployment_id");
      const deployment = call.repository.deployments.find((each) => each.id === id);
      if (!deployment) throw notFound();
      return listAnswer(call, deployment.statuses.toReversed(), (status) =>
        wireStatus(call, deployment, status),
      );
    },
  ),
];

function wireDeployment({ core, repository }: RepositoryCall, deployment: Deployment): JsonObject {
  const { id, ref, sha, environment, description, author, atMs } = deployment;
  const url = `${core.apiUrl}/repos/${fullNameOf(repository)}/deployments/${id}`;
  return {
    id,
    node_id: nodeId("DE", id),
    url,
    statuses_url: `${url}/statuses`,
    ref,
    sha,
    task: "deploy",
    payload: {},
    environment,
    original_environment: environment,
    description,
    creator: wireActor(core, author, core.world.findAccount(author)),
    created_at: timestamp(atMs),
    updated_at: timestamp(atMs),
    transient_environment: false,
    production_environment: environment === "production",
  };
}

function wireStatus(
  { core, repository }: RepositoryCall,
  { id: deploymentId, environment, author, atMs }: Deployment,
  { id, state, description }: Deployment["statuses"][number],
): JsonObject {
  const deployment = `${core.apiUrl}/repos/${fullNameOf(repository)}/deployments/${deploymentId}`;
  return {
    id,
    node_id: nodeId("DES", id),
    url: `${deployment}/statuses/${id}`,
    deployment_url: deployment,
    state,
    description,
    environment,
    environment_url: "",
    target_url: "",
    log_url: "",
    creator: wireActor(core, author, core.world.findAccount(author)),
    created_at: timestamp(atMs),
    updated_at: timestamp(atMs),
  };
}
