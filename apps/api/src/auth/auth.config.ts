import { z } from 'zod';
import { section } from '#libs/config';
import { ROLES } from '#libs/auth';

const whole = (min: number, max: number, initial: number) =>
  z.coerce.number().int().min(min).max(max).default(initial);

export const authSection = section(
  'AUTH',
  z.object({
    issuer: z.string().min(1).max(200).default('insurance-navigator').describe('`iss` of the access tokens.'),
    audience: z
      .string()
      .min(1)
      .max(200)
      .default('insurance-navigator')
      .describe('`aud` of the access tokens; tokens for another audience are refused.'),
    accessTokenSeconds: whole(30, 600, 600).describe('How long an access token is valid.'),
    refreshIdleDays: whole(1, 90, 14).describe('A session that is not refreshed for so long ends.'),
    refreshAbsoluteDays: whole(1, 365, 30).describe('A session ends after this, however much it is used.'),
    refreshGraceSeconds: whole(0, 60, 10).describe(
      'For so long the same client gets the same answer to a repeated refresh, because the first may be lost; 0: never.',
    ),
    outageGraceSeconds: whole(0, 3_600, 300).describe(
      'While the database is away, who was verified in it by this process not longer ago is believed; 0: nobody.',
    ),
    passwordMemoryKib: whole(7_168, 1_048_576, 47_104).describe('Memory of one password hash (argon2id m).'),
    passwordPasses: whole(1, 10, 1).describe('Passes of one password hash (argon2id t).'),
    passwordParallelism: whole(1, 8, 1).describe('Lanes of one password hash (argon2id p).'),
    loginsPerMinute: whole(1, 1_000, 5).describe('Failed logins a minute for one account from one network.'),
    networkLoginsPerMinute: whole(1, 100_000, 30).describe('Failed logins a minute from one network.'),
  }),
);
export type AuthConfig = Readonly<z.infer<typeof authSection.schema>>;

export const bootstrapSection = section(
  'BOOTSTRAP',
  z.object({
    adminEmail: z
      .email()
      .max(254)
      .default('admin@example.com')
      .describe('E-mail address of the first account; read on the very first start only.'),
    adminPassword: z
      .string()
      .min(8)
      .max(256)
      .optional()
      .describe('Its password; unset, one is made up and printed once.'),
    adminRole: z
      .enum(ROLES)
      .extract(['admin', 'operator'])
      .default('admin')
      .describe('admin runs the tenant; operator also the installation (its own audit log).'),
  }),
);
export type BootstrapConfig = Readonly<z.infer<typeof bootstrapSection.schema>>;
