import { z } from 'zod';
import { section } from '#libs/config';
import { type Role, ROLES } from '#libs/auth';

/** What a provider may decide; who runs the installation is for those who run it to say. */
const ROLES_GIVEN = ROLES.filter((role): role is Exclude<Role, 'operator'> => role !== 'operator');
export type RoleGiven = (typeof ROLES_GIVEN)[number];

const yesOrNo = (initial: boolean) =>
  z
    .enum(['true', 'false'])
    .default(initial ? 'true' : 'false')
    .transform((text) => text === 'true');

export const oidcSection = section(
  'OIDC',
  z.object({
    issuer: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional()
      .describe(
        'Issuer of the OpenID provider, by https unless it is on this machine; unset: no single sign-on.',
      ),
    clientId: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('By which the provider knows this installation.'),
    clientSecret: z.string().min(1).max(500).optional().describe('Its secret; unset for a public client.'),
    redirectUri: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional()
      .describe(
        'The address of `/v1/auth/oidc/callback` as browsers reach it, which the provider has to know.',
      ),
    postLogoutUri: z
      .url({ protocol: /^https?$/ })
      .max(500)
      .optional()
      .describe('Where the provider sends people after a logout.'),
    scopes: z
      .string()
      .min(1)
      .max(300)
      .default('openid email profile')
      .describe('What is asked of the provider.'),
    allowedDomains: z
      .string()
      .max(2_000)
      .default('')
      .describe(
        'Domains of e-mail addresses that may come by it, comma separated; empty: those of all accounts.',
      ),
    createUsers: yesOrNo(false).describe(
      'Whether somebody with an address in one of OIDC_ALLOWED_DOMAINS gets an account when he first comes.',
    ),
    tenant: z
      .string()
      .min(1)
      .max(63)
      .default('default')
      .describe('The tenant in which such accounts are made.'),
    defaultRole: z.enum(ROLES_GIVEN).default('member').describe('Their role.'),
    roleClaim: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Claim (text or list) that says the role at every login; unset: roles are given here.'),
    roleMap: z
      .string()
      .max(2_000)
      .default('')
      .refine(
        (text) => pairsIn(text).every(isRolePair),
        'value=role, comma separated; member, manager or admin',
      )
      .describe(
        'Which value of that claim means which role: `value=role`, comma separated; the highest counts.',
      ),
    secondFactorValues: z
      .string()
      .max(500)
      .default('mfa')
      .describe(
        'Values of the claims amr or acr by which the provider says that somebody showed a second factor, comma separated; empty: that is never believed.',
      ),
    timeoutMs: z.coerce
      .number()
      .int()
      .min(100)
      .max(60_000)
      .default(5_000)
      .describe('How long one call to the provider may take, in milliseconds.'),
  }),
);
export type OidcConfig = Readonly<z.infer<typeof oidcSection.schema>>;

/** The highest role that the values mean, if any of them means one. */
export function roleMeant(map: string, values: readonly string[]): RoleGiven | undefined {
  const meant = pairsIn(map)
    .filter(([value]) => values.includes(value))
    .map(([, role]) => role);
  return ROLES_GIVEN.toReversed().find((role) => meant.includes(role));
}

/** Whether the claims of an ID token say that a second factor was shown (RFC 8176, OpenID Connect Core). */
export function saysSecondFactor(values: string, { amr, acr }: Readonly<Record<string, unknown>>): boolean {
  const said = [...(Array.isArray(amr) ? (amr as unknown[]) : []), acr];
  return listed(values).some((value) => said.includes(value));
}

export function domainsIn(list: string): string[] {
  return listed(list).map((domain) => domain.toLowerCase());
}

function pairsIn(map: string): [value: string, role: string][] {
  return listed(map).map((pair) => {
    const at = pair.lastIndexOf('=');
    return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()];
  });
}

function isRolePair([value, role]: [string, string]): boolean {
  return value !== '' && ROLES_GIVEN.some((given) => given === role);
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
