import { z } from 'zod';
import { section } from '#libs/config';

export const clamdSection = section(
  'CLAMD',
  z.object({
    socket: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Path of the socket of clamd, the ClamAV daemon. With it or CLAMD_HOST every file is scanned.',
      ),
    host: z.string().min(1).optional().describe('Host of clamd, when it listens on TCP instead of a socket.'),
    port: z.coerce.number().int().min(1).max(65_535).default(3310).describe('TCP port of clamd.'),
    timeoutMs: z.coerce
      .number()
      .int()
      .min(1_000)
      .max(600_000)
      .default(60_000)
      .describe('How long scanning one file may take. A file that cannot be scanned is not accepted.'),
  }),
);
export type ClamdConfig = Readonly<z.infer<typeof clamdSection.schema>>;

export const isConfigured = ({ socket, host }: ClamdConfig) => socket !== undefined || host !== undefined;
