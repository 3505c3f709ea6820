/** @type {import('jest').Config} */
const base = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  // './x.js' in TypeScript sources means './x.ts'; node_modules keep their own .js.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': ['@swc/jest', { swcrc: true }] },
  transformIgnorePatterns: ['/node_modules/', '\\.js$'],
  setupFiles: ['<rootDir>/test/support/jest.setup.mjs'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/'],
};

export default {
  // Machines are slow at times; a test that hangs is ended all the same.
  testTimeout: 30_000,
  maxWorkers: 2,
  // Every test file leaves something behind in its worker, because modules are not collected.
  workerIdleMemoryLimit: '1GB',
  // Jest's half a second is too short for a worker of that size to end on a busy machine; one that leaks still tells.
  workerGracefulExitTimeout: 10_000,
  coverageProvider: 'v8',
  collectCoverageFrom: ['apps/api/**/*.ts', 'libs/**/*.ts', '!**/*.spec.ts'],
  coverageDirectory: 'coverage',
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,demo,bench,chaos}/**/*.spec.ts'] },
    {
      ...base,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/postgres.global-setup.mjs',
      globalTeardown: '<rootDir>/test/support/postgres.global-teardown.mjs',
    },
    {
      ...base,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/postgres.global-setup.mjs',
      globalTeardown: '<rootDir>/test/support/postgres.global-teardown.mjs',
    },
    { ...base, displayName: 'simulation', testMatch: ['<rootDir>/test/simulation/**/*.spec.ts'] },
    {
      ...base,
      displayName: 'chaos',
      testMatch: ['<rootDir>/test/chaos/**/*.spec.ts'],
      globalSetup: '<rootDir>/test/support/postgres.global-setup.mjs',
      globalTeardown: '<rootDir>/test/support/postgres.global-teardown.mjs',
    },
    { ...base, displayName: 'corpus', testMatch: ['<rootDir>/test/eval/**/*.spec.ts'] },
  ],
};
