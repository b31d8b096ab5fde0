import { connectorContract } from "@infragpt/connector-kit/contract";
import { startFakeBeacon } from "./fake-beacon.ts";

connectorContract("beacon", startFakeBeacon);
