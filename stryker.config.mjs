/**
 * Changes the code of the resilience library in small ways and looks whether a test notices: `npm run test:mutation`.
 * A part of it: `npm run test:mutation -- --mutate 'libs/resilience/src/circuit-breaker/*.ts,!**\/*.spec.ts'`.
 *
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  plugins: ['./test/support/mutation-runner.mjs'],
  testRunner: 'once-loaded',
  onceLoaded: { testFiles: 'libs/resilience/**/*.spec.ts' },
  mutate: ['libs/resilience/src/**/*.ts', '!**/*.spec.ts', '!**/index.ts'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 20_000,
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { reportTests: false },
  tempDirName: 'data/mutation',
  ignorePatterns: ['data', 'dist', 'coverage', 'demo', 'docs'],
  warnings: { unknownOptions: false },
  thresholds: { high: 90, low: 85, break: 85 },
};
