/** Packages that ship ES modules only: jest runs CommonJS, so they are compiled too. */
const esmOnly = [
	'@mswjs',
	'@open-draft',
	'is-node-process',
	'jose',
	'nock',
	'outvariant',
	'p-map',
	'rettime',
	'strict-event-emitter',
	'until-async',
];

const swc = (parser) => [
	'@swc/jest',
	{ jsc: { target: 'es2023', parser }, module: { type: 'commonjs' }, sourceMaps: 'inline' },
];

const common = {
	testEnvironment: 'node',
	transform: {
		'^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }),
		'^.+\\.m?js$': swc({ syntax: 'ecmascript' }),
	},
	transformIgnorePatterns: [
		`/node_modules/(?!(${esmOnly.join('|')})/)`,
		'<rootDir>/dist/',
		'<rootDir>/.cache/',
	],
	setupFiles: ['<rootDir>/test/support/loopback-only.ts'],
};

module.exports = {
	testTimeout: 30_000,
	projects: [
		{
			...common,
			displayName: 'source',
			testMatch: ['<rootDir>/test/**/*.test.ts'],
			testPathIgnorePatterns: ['/node_modules/', '/test/host/', '/test/package/'],
		},
		{
			...common,
			displayName: 'package',
			testMatch: ['<rootDir>/test/package/**/*.test.ts'],
			globalSetup: '<rootDir>/test/package/pack.ts',
		},
	],
};
