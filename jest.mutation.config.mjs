import config from './jest.config.mjs';

const unit = config.projects.find(({ displayName }) => displayName === 'unit');

/** The unit tests of the resilience library alone, for the mutation test. */
export default { ...unit, testMatch: ['<rootDir>/libs/resilience/**/*.spec.ts'], testTimeout: 30_000 };
