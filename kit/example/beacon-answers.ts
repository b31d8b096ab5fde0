// What Beacon answers, as far as it is used; everything is bounded.
import { Secret } from "@infragpt/connector-kit";
import { z } from "zod";

const token = z
  .string()
  .min(1)
  .max(4_000)
  .transform((value) => new Secret(value));

export const Tokens = z.object({
  access_token: token,
  refresh_token: token,
  expires_in: z.number().int().positive().max(31_536_000),
});

export const Account = z.object({
  id: z.string().regex(/^acc_[a-z0-9]{1,40}$/),
  name: z.string().min(1).max(200),
});

export const ServicePage = z.object({
  services: z
    .array(z.object({ id: z.string().min(1).max(100), name: z.string().min(1).max(200) }))
    .max(100),
  next: z.string().max(200).nullish(),
});

export const Incident = z.object({
  id: z.string().min(1).max(100),
  title: z.string().max(1_000),
  state: z.enum(["open", "acknowledged", "resolved"]),
  since: z.iso.datetime(),
});

export const IncidentEvent = z.object({
  delivery_id: z.string().min(1).max(100),
  account_id: z.string().min(1).max(100),
  incident: Incident,
});
