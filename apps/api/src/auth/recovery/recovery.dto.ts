import { z } from 'zod';
import { NewPassword, OneTimeToken } from '../accounts/one-time-token.js';

export const ChangePassword = z.strictObject({
  current_password: z.string().min(1).max(256),
  new_password: NewPassword,
});
export type ChangePassword = z.infer<typeof ChangePassword>;

export const AskForMail = z.strictObject({ email: z.email().max(254) });
export type AskForMail = z.infer<typeof AskForMail>;

export const ResetPassword = z.strictObject({ token: OneTimeToken, new_password: NewPassword });
export type ResetPassword = z.infer<typeof ResetPassword>;
