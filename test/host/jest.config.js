/**
 * Tests against real software: n8n with a browser, and identity servers. One n8n for all of its tests,
 * one test file after the other. The identity servers alone, without n8n:
 *
 *   jest --config test/host/jest.config.js --selectProjects servers
 */
const swc = (syntax) => [
	'@swc/jest',
	{
		jsc: { target: 'es2023', parser: { syntax } },
		module: { type: 'commonjs' },
		sourceMaps: 'inline',
	},
];

const common = {
	// From the folder above: a project's own is read from there.
	rootDir: '.',
	testEnvironment: 'node',
	// jose, which simulators verify tokens with, ships ES modules only.
	transform: { '^.+\\.ts$': swc('typescript'), '/node_modules/jose/': swc('ecmascript') },
	transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};

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
