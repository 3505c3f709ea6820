import { dangersIn, filesOf, interpolationsIn, type Place, secretsIn } from '../support/source-rules.js';

const said = (places: Place[]) => places.map(({ file, line, text }) => `${file}:${line} ${text}`);

/** What puts SQL together of more than constants, and why nothing of it can come from outside. */
const PUT_TOGETHER: Record<string, string> = {
  'apps/api/src/auth/accounts/credential.store.ts': 'names of three tables, from a list beside it',
  'apps/api/src/rag/passages/passage.store.ts': 'the table of vectors, named by its adapter',
  'apps/api/src/rag/passages/vectors/pgvector.index.ts':
    'the same name and a number of dimensions, from settings that are checked',
  'apps/api/src/ingestion/generations/reindex-queue.ts': 'one of two conditions that are written there',
  'apps/api/src/ingestion/sharing/grant.store.ts': 'the names of one of two tables that are written there',
  'apps/api/src/privacy/': 'tables, columns and conditions of the map of all data, which is a constant',
  'libs/audit/src/keeping/': 'one of two changes that are written there',
  'libs/audit/src/query/': 'conditions that are written there; their values are bound one by one',
  'libs/database/src/listen.ts': 'a channel, escaped as an identifier',
  'libs/database/src/roles.ts': 'names of two groups, from a list beside it',
  'libs/database/src/transaction.ts': 'settings of a transaction, escaped as literals',
};

describe('the source', () => {
  const product = filesOf('{apps,libs}/**/*.ts').filter(([file]) => !file.endsWith('.spec.ts'));

  it('hands values to SQL as parameters, and writes nothing into it that is not a constant', () => {
    const found = product.flatMap(([file, source]) => interpolationsIn(file, source));
    const allowed = Object.keys(PUT_TOGETHER);
    const isAllowed = ({ file }: Place) => allowed.some((path) => file.startsWith(path));
    expect(said(found.filter((place) => !isAllowed(place)))).toEqual([]);
    expect(allowed.filter((path) => !found.some(({ file }) => file.startsWith(path)))).toEqual([]);
  });

  it.each([
    ['a value', 'tx.query(`select 1 from t where a = ${value}`)'],
    ['a member', "const sql = `update t set a = 1 where b = '${this.b}'`"],
    ['a call of a value', 'tx.query(`delete from t where ${inside(value)}`)'],
    ['a sum', "tx.query('select ' + column)"],
    ['a template that begins with anything', 'tx.query(`/* x */ ${sql}`)'],
  ])('is seen to write %s into SQL', (_, source) => {
    expect(interpolationsIn('a.ts', source)).toHaveLength(1);
    expect(
      interpolationsIn('a.ts', `const value = 'a'; (value) => { const column = b; ${source} }`),
    ).toHaveLength(1);
    const constant =
      "const order = 'asc'; tx.query(`select ${COLUMNS} from t where ${seen('$1')} order by a ${order}`)";
    expect(interpolationsIn('a.ts', constant)).toEqual([]);
  });

  it('runs no text as code, and hands none to a shell', () => {
    expect(said(product.flatMap(([file, source]) => dangersIn(file, source)))).toEqual([]);
    for (const source of [
      'eval(x)',
      'new Function(x)',
      'spawn(a, b, { shell: true })',
      'exec(x)',
      'a.innerHTML = x',
    ])
      expect(dangersIn('a.ts', source)).toHaveLength(1);
  });

  it('holds no secret', () => {
    /** The example that the specification of webhooks gives. */
    const published = ['libs/monitoring/src/webhook/signature.spec.ts'];

    const text = filesOf(
      '**/*.{ts,mjs,cjs,js,json,md,py,sh,sql,yml,yaml,env,example,csv,txt}',
      '.env*',
      '.ci/run',
    );
    const found = text
      .filter(([file]) => file !== 'package-lock.json' && !published.includes(file))
      .flatMap(([file, source]) => secretsIn(file, source));
    expect(said(found)).toEqual([]);
  });

  it.each([
    ['AKIA', 'QWERTYUIOPASDFGH'],
    ['const password = "', 'q8Zr2LxVw9Tn4Kc7Yb1Md6"'],
    ['-----BEGIN PRIVATE ', 'KEY-----MIIEvQIBADANBgkqhkiG9w0BAQ'],
    ['ghp', `_${'a1B2c3D4e5F6'.repeat(3)}`],
  ])('would be seen to hold %s…', (one, other) => {
    expect(secretsIn('a.ts', one + other)).toHaveLength(1);
  });
});
