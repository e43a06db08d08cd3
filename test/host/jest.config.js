/** Tests in a real n8n and a real browser: one n8n for all of them, one test file after the other. */
module.exports = {
	rootDir: '../..',
	roots: ['<rootDir>/test/host'],
	testMatch: ['**/*.test.ts'],
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
	globalSetup: '<rootDir>/test/host/global-setup.ts',
	globalTeardown: '<rootDir>/test/host/global-teardown.ts',
	maxWorkers: 1,
	testTimeout: 90_000,
};
