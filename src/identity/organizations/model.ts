export const COMPANY_SIZES = ["startup", "small", "medium", "large", "enterprise"] as const;
export const TEAM_SIZES = ["1-5", "6-20", "21-50", "51-100", "100+"] as const;
export const USE_CASES = [
  "infrastructure_monitoring",
  "application_performance_monitoring",
  "log_management",
  "incident_response",
  "compliance_auditing",
  "cost_optimization",
  "security_monitoring",
  "devops_automation",
] as const;
export const OBSERVABILITY_STACK = [
  "datadog",
  "new_relic",
  "splunk",
  "elastic_stack",
  "prometheus_grafana",
  "app_dynamics",
  "dynatrace",
  "cloudwatch",
  "azure_monitor",
  "google_cloud_monitoring",
  "pagerduty",
  "opsgenie",
  "other",
] as const;

export interface OrganizationMetadata {
  readonly companySize: string | undefined;
  readonly teamSize: string | undefined;
  readonly useCases: readonly string[];
  readonly observabilityStack: readonly string[];
}

export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly createdAt: Date;
  readonly metadata: OrganizationMetadata & { readonly completedAt: Date | undefined };
  readonly firstConnectionAt: Date | undefined;
  readonly firstAnswerAt: Date | undefined;
  /** Chat users may be matched to members by verified e-mail. */
  readonly allowsEmailMatch: boolean;
}

/** The guided flow, in its order. */
export const ONBOARDING_STEPS = [
  "company_size",
  "team_size",
  "use_cases",
  "observability_stack",
  "first_connection",
  "first_answer",
] as const;
type OnboardingStep = (typeof ONBOARDING_STEPS)[number];

export interface Onboarding {
  readonly steps: readonly { readonly name: OnboardingStep; readonly isDone: boolean }[];
  readonly nextStep: OnboardingStep | undefined;
}

/** Where an organization stands in the guided flow: derived, so that it cannot disagree with what is. */
export function onboardingOf(organization: Organization): Onboarding {
  const { metadata } = organization;
  const isDone: Record<OnboardingStep, boolean> = {
    company_size: metadata.companySize !== undefined,
    team_size: metadata.teamSize !== undefined,
    use_cases: metadata.useCases.length > 0,
    observability_stack: metadata.observabilityStack.length > 0,
    first_connection: organization.firstConnectionAt !== undefined,
    first_answer: organization.firstAnswerAt !== undefined,
  };
  const steps = ONBOARDING_STEPS.map((name) => ({ name, isDone: isDone[name] }));
  return { steps, nextStep: steps.find((step) => !step.isDone)?.name };
}
