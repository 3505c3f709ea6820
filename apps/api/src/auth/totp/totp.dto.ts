import { z } from 'zod';

/** As received: a password is compared, not judged. */
const CurrentPassword = z.string().min(1).max(256);
export const SecondFactorCode = z
  .string()
  .min(6)
  .max(40)
  .describe('Six digits from the program, or a recovery code.');

export const BeginTotp = z.strictObject({ current_password: CurrentPassword.optional() });
export type BeginTotp = z.infer<typeof BeginTotp>;
export const BegunTotp = z.object({
  secret: z.string().describe('Base 32, shown this once.'),
  otpauth_uri: z.string().describe('The same for a picture that a program reads.'),
});
export type BegunTotp = z.infer<typeof BegunTotp>;

export const ConfirmTotp = z.strictObject({ code: z.string().regex(/^\d{6}$/) });
export type ConfirmTotp = z.infer<typeof ConfirmTotp>;
export const RecoveryCodes = z.object({
  recovery_codes: z.array(z.string()).describe('Each is good once; shown this once.'),
});
export type RecoveryCodes = z.infer<typeof RecoveryCodes>;

export const ProveTotp = z.strictObject({ current_password: CurrentPassword, code: SecondFactorCode });
export type ProveTotp = z.infer<typeof ProveTotp>;

export const TotpState = z.object({ enabled: z.boolean(), recovery_codes_left: z.int() });
export type TotpState = z.infer<typeof TotpState>;

export const SecondStep = z.strictObject({ challenge: z.string().min(1).max(1_000), code: SecondFactorCode });
export type SecondStep = z.infer<typeof SecondStep>;
