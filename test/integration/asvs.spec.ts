import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Level of each requirement of ASVS 5.0.0, section by section, in its order: `1122` is 1 and 2 of level 1, 3 and 4 of
 * level 2. Those of level 3 are not in our table.
 */
const LEVELS: Record<string, string> = {
  '1.1': '22',
  '1.2': '1111122223',
  '1.3': '112222222223',
  '1.4': '222',
  '1.5': '123',
  '2.1': '122',
  '2.2': '112',
  '2.3': '12223',
  '2.4': '23',
  '3.1': '3',
  '3.2': '113',
  '3.3': '12223',
  '3.4': '11222233',
  '3.5': '11122333',
  '3.6': '3',
  '3.7': '22333',
  '4.1': '12233',
  '4.2': '23333',
  '4.3': '22',
  '4.4': '1222',
  '5.1': '2',
  '5.2': '112333',
  '5.3': '113',
  '5.4': '222',
  '6.1': '122',
  '6.2': '111111112222',
  '6.3': '11223333',
  '6.4': '112233',
  '6.5': '22222333',
  '6.6': '2223',
  '6.7': '33',
  '6.8': '2222',
  '7.1': '222',
  '7.2': '1111',
  '7.3': '22',
  '7.4': '11222',
  '7.5': '223',
  '7.6': '22',
  '8.1': '1233',
  '8.2': '1123',
  '8.3': '133',
  '8.4': '23',
  '9.1': '111',
  '9.2': '1222',
  '10.1': '22',
  '10.2': '223',
  '10.3': '22223',
  '10.4': '1111122222233333',
  '10.5': '22222',
  '10.6': '22',
  '10.7': '222',
  '11.1': '2233',
  '11.2': '22233',
  '11.3': '11233',
  '11.4': '1222',
  '11.5': '23',
  '11.6': '23',
  '11.7': '33',
  '12.1': '12233',
  '12.2': '11',
  '12.3': '22223',
  '13.1': '2333',
  '13.2': '222223',
  '13.3': '2233',
  '13.4': '1222233',
  '14.1': '22',
  '14.2': '12223333',
  '14.3': '122',
  '15.1': '12233',
  '15.2': '12233',
  '15.3': '1222222',
  '15.4': '3333',
  '16.1': '2',
  '16.2': '22222',
  '16.3': '2222',
  '16.4': '222',
  '16.5': '2223',
  '17.1': '23',
  '17.2': '22223333',
  '17.3': '22',
};
/** Requirements of levels 1 and 2 by chapter, as the standard counts them. */
const COUNTS = '8/19 4/7 8/11 2/8 4/5 13/22 6/12 4/3 4/3 5/24 3/11 3/6 1/12 2/7 3/10 0/16 0/7'.split(' ');

interface Row {
  id: string;
  level: string;
  applies: string;
  requirement: string;
  status: string;
  control: string;
  test: string;
  notes: string;
}

/** What each status has to be accompanied by. */
const RULES: Record<string, (row: Row) => boolean> = {
  met: ({ applies, control, test }) => applies === 'yes' && control !== '' && test !== '',
  documented: ({ applies, control }) => applies === 'yes' && control.endsWith('.md'),
  gap: ({ applies, notes }) => applies === 'yes' && notes !== '',
  none: ({ applies, control, test, notes }) =>
    ['no', 'later'].includes(applies) && notes !== '' && control === '' && test === '',
};

describe('the table of ASVS 5.0', () => {
  const [header, ...lines] = readFileSync('docs/security/asvs-5.0-l2.csv', 'utf8').trimEnd().split('\n');
  const names = header!.split(',') as (keyof Row)[];
  const rows = lines.map((line) => {
    const values = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
      (quoted ?? plain ?? '').replaceAll('""', '"'),
    );
    expect(values).toHaveLength(names.length);
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as Row;
  });

  it('has each requirement of levels 1 and 2 once, in order, and no other', () => {
    const expected = Object.entries(LEVELS).flatMap(([section, levels]) =>
      [...levels].map((level, i) => `V${section}.${i + 1} ${level}`).filter((text) => !text.endsWith(' 3')),
    );
    expect(rows.map(({ id, level }) => `${id} ${level}`)).toEqual(expected);
    const counted = COUNTS.map((_, i) => {
      const chapter = rows.filter(({ id }) => id.startsWith(`V${i + 1}.`));
      return ['1', '2'].map((level) => chapter.filter((row) => row.level === level).length).join('/');
    });
    expect(counted).toEqual(COUNTS);
  });

  it('says of each how it is met, or what is missing, or why it does not apply', () => {
    expect(rows.filter((row) => !row.requirement || !RULES[row.status]?.(row))).toEqual([]);
  });

  it('names controls that exist', () => {
    const named = rows.flatMap(({ id, control }) =>
      control ? control.split(' | ').map((path) => [id, path]) : [],
    );
    expect(named.filter(([, path]) => !existsSync(path!))).toEqual([]);
  });

  it('names tests that exist, by the file and the words of the test', () => {
    const named = rows.flatMap(({ id, test }) => (test ? test.split(' | ').map((one) => [id, one]) : []));
    const missing = named.filter(([, one]) => {
      const [file, title] = one!.split(' › ');
      return !existsSync(file!) || !file!.endsWith('.spec.ts') || !title || !hasTest(file!, title);
    });
    expect(missing).toEqual([]);
  });

  it('has its gaps told where people read of security', () => {
    const page = readFileSync('docs/security.md', 'utf8');
    const gaps = rows.filter(({ status }) => status === 'gap').map(({ id }) => id.slice(1));
    expect(gaps.filter((id) => !new RegExp(`\\b${id.replaceAll('.', '\\.')}\\b`).test(page))).toEqual([]);
  });
});

it('has a threat model that names tests and pages which exist', () => {
  const page = readFileSync('docs/security/threat-model.md', 'utf8');
  const tests = [...page.matchAll(/`([\w./-]+\.spec)(?:\.ts)?`/g)].map(([, name]) => name!);
  expect(new Set(tests).size).toBeGreaterThan(25);
  const files = globSync('{apps,libs,test}/**/*.spec.ts').map((file) => `/${file}`);
  const isThere = (name: string) => files.some((file) => file.endsWith(`/${name}.ts`));
  expect(tests.filter((name) => !isThere(name))).toEqual([]);
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => join('docs/security', link!));
  expect(links.filter((path) => !existsSync(path))).toEqual([]);
});

it('makes a bill of materials of what the product needs', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { maxBuffer: 50_000_000 });
  const { bomFormat, components } = JSON.parse(stdout) as {
    bomFormat: string;
    components: { name: string; version: string; purl: string; hashes?: object[] }[];
  };
  expect(bomFormat).toBe('CycloneDX');
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const [name, version] of Object.entries(dependencies))
    expect(
      components.find(({ purl }) => decodeURIComponent(purl).endsWith(`npm/${name}@${version}`)),
    ).toMatchObject({
      version,
      hashes: [expect.anything()],
    });
});

/** Whether the file has a test of this title, as it stands there. */
function hasTest(file: string, title: string): boolean {
  const source = readFileSync(file, 'utf8').replaceAll("\\'", "'");
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
}
