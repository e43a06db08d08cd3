/** Tests in queue mode: n8n with workers, PostgreSQL and Redis, all of them real. */
const common = require('../jest.common');

module.exports = {
	...common,
	rootDir: '../../..',
	roots: ['<rootDir>/test/host/queue'],
	testMatch: ['**/*.test.ts'],
	maxWorkers: 1,
	testTimeout: 120_000,
	globalSetup: '<rootDir>/test/host/queue/global-setup.ts',
	globalTeardown: '<rootDir>/test/host/global-teardown.ts',
};
