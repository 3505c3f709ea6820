import config from './jest.config.mjs';

const unit = config.projects.find(({ displayName }) => displayName === 'unit');

/** The unit tests of the resilience library alone, for the mutation test, which runs them a thousand times. */
export default {
  ...unit,
  testMatch: ['<rootDir>/libs/resilience/**/*.spec.ts'],
  testTimeout: 30_000,
  setupFiles: [],
  moduleNameMapper: {
    ...unit.moduleNameMapper,
    '^#libs/observability$': '<rootDir>/test/support/observability-without-nest.ts',
  },
};
