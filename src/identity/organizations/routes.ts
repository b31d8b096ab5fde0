import { z } from "zod";
import { route, type Route } from "#platform";
import { assertSamePrincipal } from "../can.ts";
import { claimedIds } from "../claimed-ids.ts";
import type { IdentityDeps } from "../deps.ts";
import { permissionsOfRole } from "../model.ts";
import { listMembers } from "./list-members.ts";
import {
  COMPANY_SIZES,
  OBSERVABILITY_STACK,
  ONBOARDING_STEPS,
  TEAM_SIZES,
  USE_CASES,
  onboardingOf,
  type Organization,
} from "./model.ts";
import { readOnboarding } from "./read-onboarding.ts";
import { getOrganization, setMetadata } from "./set-metadata.ts";

const Metadata = z.object({
  company_size: z.enum(COMPANY_SIZES),
  team_size: z.enum(TEAM_SIZES),
  use_cases: z.array(z.enum(USE_CASES)).max(USE_CASES.length),
  observability_stack: z.array(z.enum(OBSERVABILITY_STACK)).max(OBSERVABILITY_STACK.length),
});

const PartialMetadata = Metadata.partial();

const MetadataAnswer = z.strictObject({
  company_size: z.string().nullable(),
  team_size: z.string().nullable(),
  use_cases: z.array(z.string()),
  observability_stack: z.array(z.string()),
  completed_at: z.iso.datetime().nullable(),
});

const OnboardingAnswer = z.strictObject({
  steps: z.array(z.strictObject({ name: z.enum(ONBOARDING_STEPS), is_done: z.boolean() })),
  next_step: z.enum(ONBOARDING_STEPS).nullable(),
  metadata: MetadataAnswer,
});

const tags = ["organizations"];

export function organizationRoutes(deps: IdentityDeps): readonly Route[] {
  return [
    route({
      method: "POST",
      path: "/api/v1/organizations/get",
      summary: "The caller's organization",
      tags,
      access: { permission: "organization:read" },
      body: z.strictObject(claimedIds),
      answer: z.strictObject({
        id: z.string(),
        organization_id: z.string(),
        user_id: z.string().nullable(),
        name: z.string(),
        slug: z.string(),
        created_at: z.iso.datetime(),
        metadata: MetadataAnswer,
      }),
      async handle({ body, principal }) {
        assertSamePrincipal(principal, body);
        const organization = await getOrganization(deps, principal);
        return {
          id: organization.id,
          organization_id: organization.id,
          user_id: principal.userId ?? null,
          name: organization.name,
          slug: organization.slug,
          created_at: organization.createdAt.toISOString(),
          metadata: metadataAnswer(organization),
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/v1/organizations/metadata/set",
      summary: "Says what the organization is like and what it uses",
      tags,
      access: { permission: "organization:edit" },
      body: z.strictObject({ ...Metadata.shape, ...claimedIds }),
      answer: z.strictObject({}),
      async handle({ body, principal }) {
        assertSamePrincipal(principal, body);
        await setMetadata(deps, principal, fromBody(body));
        return {};
      },
    }),
    route({
      method: "GET",
      path: "/api/v1/onboarding",
      summary: "Where the organization stands in the guided flow",
      tags,
      access: { permission: "organization:read" },
      answer: OnboardingAnswer,
      handle: async ({ principal }) => onboardingAnswer(await readOnboarding(deps, principal)),
    }),
    route({
      method: "POST",
      path: "/api/v1/onboarding",
      summary: "Takes a step of the guided flow; fields that are not given stay as they are",
      tags,
      access: { permission: "organization:edit" },
      body: z.strictObject({ ...PartialMetadata.shape, ...claimedIds }),
      answer: OnboardingAnswer,
      async handle({ body, principal }) {
        assertSamePrincipal(principal, body);
        await setMetadata(deps, principal, fromBody(body));
        return onboardingAnswer(await readOnboarding(deps, principal));
      },
    }),
    membersRoute(deps),
  ];
}

function membersRoute(deps: IdentityDeps): Route {
  return route({
    method: "GET",
    path: "/api/v1/members",
    summary: "The people of the organization and what they may do",
    tags: ["members"],
    access: { permission: "member:read" },
    query: z.strictObject({
      page_size: z.coerce.number().int().min(1).max(200).default(50),
      page_token: z.string().max(100).default(""),
    }),
    answer: z.strictObject({
      members: z.array(
        z.strictObject({
          user_id: z.string(),
          name: z.string(),
          email: z.string().nullable(),
          role: z.string(),
          permissions: z.array(z.string()),
        }),
      ),
      next_page_token: z.string(),
    }),
    async handle({ query, principal }) {
      const page = await listMembers(deps, principal, {
        pageSize: query.page_size,
        pageToken: query.page_token,
      });
      return {
        members: page.members.map((member) => ({
          user_id: member.userId,
          name: member.name,
          email: member.email ?? null,
          role: member.role,
          permissions: [...permissionsOfRole(member.role, member.mappedPermissions)],
        })),
        next_page_token: page.nextPageToken,
      };
    },
  });
}

function fromBody(body: z.infer<typeof PartialMetadata>) {
  return {
    ...(body.company_size === undefined ? {} : { companySize: body.company_size }),
    ...(body.team_size === undefined ? {} : { teamSize: body.team_size }),
    ...(body.use_cases === undefined ? {} : { useCases: [...new Set(body.use_cases)] }),
    ...(body.observability_stack === undefined
      ? {}
      : { observabilityStack: [...new Set(body.observability_stack)] }),
  };
}

function metadataAnswer({ metadata }: Organization): z.infer<typeof MetadataAnswer> {
  return {
    company_size: metadata.companySize ?? null,
    team_size: metadata.teamSize ?? null,
    use_cases: [...metadata.useCases],
    observability_stack: [...metadata.observabilityStack],
    completed_at: metadata.completedAt?.toISOString() ?? null,
  };
}

function onboardingAnswer(organization: Organization): z.infer<typeof OnboardingAnswer> {
  const { steps, nextStep } = onboardingOf(organization);
  return {
    steps: steps.map(({ name, isDone }) => ({ name, is_done: isDone })),
    next_step: nextStep ?? null,
    metadata: metadataAnswer(organization),
  };
}
