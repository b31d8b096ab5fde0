export { lanternConnectors } from "./lantern-connectors.ts";
export { startLantern, type Lantern } from "./start-lantern.ts";
