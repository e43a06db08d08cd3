/**
 * Tests against real software: n8n with a browser, and identity servers. One n8n for all of its tests,
 * one test file after the other. The identity servers alone, without n8n:
 *
 *   jest --config test/host/jest.config.js --selectProjects servers
 */
const common = require('./jest.common');

module.exports = {
	rootDir: '../..',
	maxWorkers: 1,
	testTimeout: 90_000,
	projects: [
		{
			...common,
			displayName: 'n8n',
			roots: ['<rootDir>/test/host'],
			testMatch: ['**/*.test.ts'],
			testPathIgnorePatterns: ['/node_modules/', '/test/host/queue/', '/test/host/servers/'],
			globalSetup: '<rootDir>/test/host/global-setup.ts',
			globalTeardown: '<rootDir>/test/host/global-teardown.ts',
		},
		{
			...common,
			displayName: 'servers',
			roots: ['<rootDir>/test/host/servers'],
			testMatch: ['**/*.test.ts'],
		},
	],
};
