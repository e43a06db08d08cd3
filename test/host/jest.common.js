/** What all runs against real software have in common. */
module.exports = {
	// From the folder above: a project's own is read from there.
	rootDir: '.',
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
