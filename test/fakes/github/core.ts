import type { Installations, InstallationsDeps } from "./installations.ts";
import type { TokenRequest } from "./model.ts";

/** The parts that routes work with. */
export interface Core extends InstallationsDeps {
  readonly installations: Installations;
  readonly tokenRequests: TokenRequest[];
  readonly pageSizeMax: number;
}
