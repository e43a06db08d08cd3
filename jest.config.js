/** Packages that ship ES modules only: jest runs CommonJS, so they are compiled too. */
const esmOnly = ['jose', 'nock', 'p-map', '@mswjs', '@open-draft', 'until-async', 'outvariant', 'strict-event-emitter', 'is-node-process', 'rettime'];

const swc = (parser) => ['@swc/jest', { jsc: { target: 'es2023', parser }, module: { type: 'commonjs' }, sourceMaps: 'inline' }];

module.exports = {
	testEnvironment: 'node',
	roots: ['<rootDir>/test'],
	testMatch: ['**/*.test.ts'],
	testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/host/'],
	transform: {
		'^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }),
		'^.+\\.m?js$': swc({ syntax: 'ecmascript' }),
	},
	transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
	testTimeout: 30000,
};
