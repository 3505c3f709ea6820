import { z } from 'zod';
import { section } from '#libs/config';
import { hostList, networkList } from '#libs/http';

const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

export const importSection = section(
  'IMPORT',
  z.object({
    maxItems: whole(1, 10_000)
      .default(1_000)
      .describe('The most files and addresses that one import may hold, those in its archives among them.'),
    maxArchiveBytes: whole(1_024, 107_374_182_400)
      .default(1_073_741_824)
      .describe('The largest ZIP file that is accepted, in bytes.'),
    maxUnpackedBytes: whole(1_024, 1_099_511_627_776)
      .default(4_294_967_296)
      .describe('All that a ZIP file may unpack to, in bytes.'),
    concurrency: whole(1, 64)
      .default(2)
      .describe('Files that one worker unpacks or fetches at the same time.'),
    urlTimeoutMs: whole(100, 600_000)
      .default(120_000)
      .describe('How long fetching one address may take altogether.'),
    urlIdleMs: whole(10, 600_000)
      .default(15_000)
      .describe('How long a server may be silent while an address is fetched from it.'),
    maxRedirects: whole(0, 20).default(3).describe('How often an address may lead on to another.'),
    allowedNetworks: networkList(
      'Private networks from which addresses may be fetched, such as 10.1.0.0/16, comma separated; none unless given.',
    ),
    allowedHosts: hostList(
      'The only hosts from which addresses may be fetched, such as files.example.com, *.example.org, comma separated; any unless given.',
    ),
    keepDays: whole(1, 3_650)
      .default(90)
      .describe('How long the list of an import is kept after its end. Its documents stay.'),
  }),
);
export type ImportConfig = Readonly<z.infer<typeof importSection.schema>>;
