/**
 * Tests against real software: n8n with a browser, and identity servers. One n8n for all of its tests,
 * one test file after the other. The identity servers alone, without n8n:
 *
 *   jest --config test/host/jest.config.js --selectProjects servers
 */
const { resolve } = require('node:path');

const common = {
	rootDir: resolve(__dirname, '../..'),
	testEnvironment: 'node',
	transform: {
		'^.+\\.ts$': [
			'@swc/jest',
			{
				jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
				module: { type: 'commonjs' },
				sourceMaps: 'inline',
			},
		],
	},
};

module.exports = {
	maxWorkers: 1,
	testTimeout: 90_000,
	projects: [
		{
			...common,
			displayName: 'n8n',
			roots: ['<rootDir>/test/host'],
			testMatch: ['**/*.test.ts'],
			testPathIgnorePatterns: ['/node_modules/', '/test/host/servers/'],
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
