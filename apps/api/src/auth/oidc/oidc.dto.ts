import { z } from 'zod';

/** RFC 6749, section 4.1.2. Providers may add more of their own, such as `iss`. */
export const CallbackQuery = z.object({
  state: z.string().min(1).max(500),
  code: z.string().min(1).max(4_096).optional(),
  error: z.string().min(1).max(200).optional(),
});
export type CallbackQuery = z.infer<typeof CallbackQuery>;

export const LogoutResponse = z.object({
  end_session_url: z
    .url()
    .nullable()
    .describe('Where to send the browser to end the session at the provider too.'),
});
export type LogoutResponse = z.infer<typeof LogoutResponse>;
