/** What a tenant has decided for itself; whatever is absent is as the installation has it. */
export interface TenantRules {
  /** 0 to 1: an answer in the documents' own words that is less sure counts as not in the documents. */
  answerThreshold?: number;
  /** Names of the chat models that may read this tenant's documents; none of them: answers are quoted only. */
  allowedModels?: readonly string[];
}

/** Where those who work for a tenant look its rules up. Cheap: asked for every question. */
export abstract class TenantRulesSource {
  /** Never fails. While nobody knows the rules, the strictest hold: no model reads anything. */
  abstract of(tenantId: string): Promise<TenantRules>;
}

export function allowsModel({ allowedModels }: TenantRules, name: string): boolean {
  return allowedModels === undefined || allowedModels.includes(name);
}
