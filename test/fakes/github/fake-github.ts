import type { WaitOptions } from "../../support/until.ts";
import type * as Model from "./model.ts";

/** A GitHub with one App on a loopback port. It knows nobody until they are added. */
export interface FakeGitHub extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/api/v3`, as GitHub Enterprise Server has it. */
  readonly apiUrl: string;
  /** `http://127.0.0.1:PORT`. */
  readonly webUrl: string;
  readonly appId: string;
  readonly appSlug: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookSecret: string;
  /** PEM, PKCS#1, as GitHub hands it out. */
  readonly privateKey: string;
  /** The same key as PKCS#8. */
  readonly privateKeyPkcs8: string;
  /** Everything secret that it gave out or accepted: keys, secrets, tokens, codes, App JWTs, signatures of log addresses. */
  secrets(): readonly string[];

  /** Adds a person, or finds them. */
  addUser(login: string): { readonly id: number; readonly login: string };
  /** Its people are added with it. */
  addOrganization(
    login: string,
    people: Readonly<Record<string, "admin" | "member">>,
    options?: Model.AddOrganizationOptions,
  ): { readonly id: number; readonly login: string };
  /** Its owner must be there already. */
  addRepository(
    fullName: string,
    options?: Model.AddRepositoryOptions,
  ): { readonly id: number; readonly fullName: string };
  /** The old name then redirects to `/repositories/{id}`: 301 for reads, 307 for writes. */
  renameRepository(from: string, to: string): void;
  /** Replaces or adds files on every branch. */
  writeFiles(fullName: string, files: Readonly<Record<string, string>>): void;

  /** Installs the App without a browser. Sends `installation.created` in the background. Returns the id. */
  install(accountLogin: string, options?: Model.InstallOptions): number;
  /** Where GitHub sends people after an installation. */
  setCallbackUrl(url: string): void;
  /**
   * A signed-in person opens the address that the service sent them to and agrees: the page to install the App or
   * `/login/oauth/authorize`. Returns where GitHub sends the browser. A member who may not install on an
   * organization asks its admins instead: `setup_action=request`, and no `installation_id`. Throws where GitHub
   * shows a page without sending the browser back, such as for an account that has the App already.
   */
  approve(url: string, as: Model.Approval): string;
  /** The same for a person who declines: `error=access_denied`. */
  cancel(url: string): string;

  suspend(id: number): Promise<Model.SentDelivery>;
  unsuspend(id: number): Promise<Model.SentDelivery>;
  uninstall(id: number): Promise<Model.SentDelivery>;
  addToInstallation(id: number, fullNames: readonly string[]): Promise<Model.SentDelivery>;
  /** Turns an installation on all repositories into one on the remaining ones. */
  removeFromInstallation(id: number, fullNames: readonly string[]): Promise<Model.SentDelivery>;
  /** Adds to what the installation grants; tokens that are out already keep what they had. */
  acceptPermissions(id: number, permissions: Model.Permissions): Promise<Model.SentDelivery>;
  /** undefined when it is uninstalled. */
  installation(id: number): Model.InstallationFacts | undefined;

  /** Where webhooks of the App go; undefined: GitHub reaches nobody and records failed deliveries. */
  setReceiver(url: string | undefined): void;
  /** Sends a webhook once, as GitHub never retries, and records it behind GET /app/hook/deliveries. */
  send(event: string, payload: object, options?: Model.SendOptions): Promise<Model.SentDelivery>;
  /** The headers of a webhook with this body. */
  sign(body: string | Uint8Array, options: Model.SignOptions): Readonly<Record<string, string>>;
  /** Sends the last delivery with this guid again. */
  redeliver(guid: string): Promise<Model.SentDelivery>;
  /** Resolves when no webhook is under way. */
  settled(): Promise<void>;

  /** Plans that the next calls (one, if not said otherwise) of a route go wrong. "*" is every route. */
  fail(
    route: string,
    fault: Model.GitHubFault,
    options?: { readonly times?: number | undefined },
  ): void;
  clearFaults(): void;
  /** Calls of a route, oldest first; "*" for all. Names of parameters do not matter: `{id}` is any. */
  calls(route: string): readonly Model.RecordedCall[];
  waitForCalls(route: string, count: number, options?: WaitOptions): Promise<void>;
  tokenRequests(): readonly Model.TokenRequest[];
  /** How many writes the API performed. */
  changes(): number;

  /** What writes leave behind, and what was added. */
  issues(fullName: string): readonly Model.IssueFacts[];
  reruns(fullName: string): readonly Model.RerunFacts[];

  /** Returns its sha. */
  addCommit(fullName: string, commit: Model.AddCommitOptions): string;
  /** Returns its number. */
  addPullRequest(fullName: string, pullRequest: Model.AddPullRequestOptions): number;
  /** Returns its number. */
  addIssue(fullName: string, issue: Model.AddIssueOptions): number;
  addWorkflowRun(
    fullName: string,
    run: Model.AddWorkflowRunOptions,
  ): { readonly runId: number; readonly jobIds: readonly number[] };
  /** Returns its id. */
  addDeployment(fullName: string, deployment: Model.AddDeploymentOptions): number;
}
