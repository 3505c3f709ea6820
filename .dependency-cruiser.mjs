/** @param doors folders of it that have an index of their own for others, because the folder's own loads too much */
const onlyIndexOf = (folder, from, doors = []) => ({
  name: `${folder.replaceAll('/', '-')}-by-its-index`,
  comment: 'From outside a folder only its index.ts is imported.',
  severity: 'error',
  from: { path: from, pathNot: `^${folder}/` },
  to: { path: `^${folder}/`, pathNot: `^${folder}/(${['', ...doors].join('|')})index\\.ts$` },
});

const API = '^apps/api/src/';
const domains = ['auth', 'tenants', 'chat', 'rag', 'ingestion', 'privacy', 'usage', 'ops', 'groups'];
/** Parser processes make passages, and are not to load the models for that. */
const DOORS = { rag: ['passages/'] };
/** Which domains a domain may import; whoever is not listed here imports no other domain. */
const allowed = {
  chat: ['rag', 'usage'],
  ingestion: ['rag', 'usage', 'groups'],
  groups: ['rag'],
  privacy: ['auth', 'tenants', 'ingestion', 'rag'],
  auth: ['tenants'],
  ops: [],
  rag: [],
};

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'libs-not-to-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'no-cross-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(apps|libs|migrations)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|bench|chaos|demo)/' },
    },
    {
      name: 'lib-entry-only',
      comment: 'A lib is entered by its index.ts, also from another lib.',
      severity: 'error',
      from: { path: '^(apps|migrations|demo|bench|chaos|libs/([^/]+))/' },
      to: { path: '^libs/[^/]+/src/(?!index\\.ts)', pathNot: '^libs/$2/' },
    },
    ...domains.map((domain) => onlyIndexOf(`apps/api/src/${domain}`, '^(apps|demo)/', DOORS[domain])),
    ...Object.entries(allowed).map(([domain, others]) => ({
      name: `${domain}-imports-only-${others.join('-and-') || 'libs'}`,
      severity: 'error',
      from: { path: `${API}${domain}/` },
      to: { path: `${API}(${domains.join('|')})/`, pathNot: `${API}(${[domain, ...others].join('|')})/` },
    })),
    {
      name: 'cockatiel-only-in-resilience',
      severity: 'error',
      from: { pathNot: '^(libs/resilience|test|bench)/' },
      to: { path: 'node_modules/cockatiel/' },
    },
    {
      name: 'metrics-and-sentry-only-in-observability',
      severity: 'error',
      from: { pathNot: '^(libs/observability|test)/' },
      to: { path: 'node_modules/(prom-client|@sentry|@willsoto)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};
