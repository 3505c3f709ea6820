import { z } from 'zod';
import { section } from '#libs/config';

export const mailSection = section(
  'MAIL',
  z.object({
    transport: z
      .enum(['file', 'smtp'])
      .default('file')
      .describe(
        'How mails leave: smtp, or file (into the folder mail in DATA_DIR, for whoever runs this machine).',
      ),
    from: z.email().max(254).default('navigator@example.com').describe('Address that mails come from.'),
    linkBase: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Where links in mails lead to, such as https://app.example.com; unset, mails hold the token and no link.',
      ),
    smtpHost: z.string().min(1).max(253).default('localhost').describe('Mail server.'),
    smtpPort: z.coerce.number().int().min(1).max(65_535).default(587).describe('Of that server.'),
    smtpSecurity: z
      .enum(['starttls', 'tls', 'none'])
      .default('starttls')
      .describe(
        'starttls and tls refuse a server without TLS or with a certificate that is not valid; none: in clear.',
      ),
    smtpCaFile: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file with the authority of the certificate, where it is one of your own.'),
    smtpUser: z.string().min(1).optional().describe('User name at the mail server; unset, without a login.'),
    smtpPassword: z.string().min(1).optional().describe('Password at the mail server.'),
    pollMs: z.coerce
      .number()
      .int()
      .min(50)
      .max(600_000)
      .default(2_000)
      .describe('How often to look for mails that are to be sent.'),
  }),
);
export type MailConfig = Readonly<z.infer<typeof mailSection.schema>>;
