/** What all runs against real software have in common. */
const swc = (syntax) => [
	'@swc/jest',
	{
		jsc: { target: 'es2023', parser: { syntax } },
		module: { type: 'commonjs' },
		sourceMaps: 'inline',
	},
];

module.exports = {
	// From the folder above: a project's own is read from there.
	rootDir: '.',
	testEnvironment: 'node',
	// jose, which simulators verify tokens with, ships ES modules only.
	transform: { '^.+\\.ts$': swc('typescript'), '/node_modules/jose/': swc('ecmascript') },
	transformIgnorePatterns: ['/node_modules/(?!jose/)'],
};
