/** The architecture as rules: `npm run architecture`. Why each holds: docs/adr/. */
const faces = '^nodes/(core/n8n/|[^/]+/[^/]+\\.node\\.ts$)|^credentials/';

module.exports = {
	forbidden: [
		{
			name: 'no-cycles',
			severity: 'error',
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
		},
		{
			name: 'core-knows-no-vendor',
			severity: 'error',
			from: { path: '^nodes/core/' },
			to: { path: '^nodes/(?!core/)' },
		},
		{
			name: 'vendors-know-the-contract-only',
			comment:
				'A connector is data and pure functions: no n8n, no network, no clock, no other vendor.',
			severity: 'error',
			from: {
				path: '^nodes/(?!core/|AlertIdentities/|RevokeEverywhere/|registry)([^/]+)/',
				pathNot: '\\.node\\.ts$',
			},
			to: { pathNot: ['^nodes/$1/', '^nodes/core/connector\\.ts$', '^node_modules/zod/'] },
		},
		{
			name: 'alerts-are-only-read',
			comment:
				'Whom an alert is about is decided by pure functions: no vendor, no network, no clock. What a name is they know from the core.',
			severity: 'error',
			from: { path: '^nodes/AlertIdentities/', pathNot: '\\.node\\.ts$' },
			to: {
				pathNot: [
					'^nodes/AlertIdentities/',
					'^nodes/core/(attempt|connector|identity)\\.ts$',
					'^node_modules/zod/',
				],
			},
		},
		{
			name: 'one-door-to-the-network',
			comment:
				'The allow-list of the webhook compares addresses with Node’s own code; it opens nothing.',
			severity: 'error',
			from: {
				pathNot: '^(nodes/core/transport|test|scripts)/|^nodes/core/webhook/addresses\\.ts$',
			},
			to: { path: '^node_modules/(undici|jose)/|^(node:)?(http|https|http2|net|tls|dns)$' },
		},
		{
			name: 'transport-stands-alone',
			severity: 'error',
			from: { path: '^nodes/core/transport/' },
			to: { path: '^nodes/', pathNot: '^nodes/core/transport/' },
		},
		{
			name: 'n8n-in-its-faces-only',
			severity: 'error',
			from: { path: '^(nodes|credentials)/', pathNot: faces },
			to: { path: '^node_modules/n8n-(workflow|core)/' },
		},
		{
			name: 'nothing-shipped-needs-what-is-not',
			severity: 'error',
			from: { path: '^(nodes|credentials)/' },
			to: { path: '^(test|scripts|bench)/' },
		},
		{
			name: 'simulators-are-independent',
			comment: 'A simulator made from the connector would agree with it by construction.',
			severity: 'error',
			from: { path: '^test/simulator/' },
			to: { path: '^(nodes|credentials)/' },
		},
	],
	options: {
		tsConfig: { fileName: 'tsconfig.json' },
		tsPreCompilationDeps: true,
		doNotFollow: { path: 'node_modules' },
		exclude: { path: '^dist/' },
		enhancedResolveOptions: {
			exportsFields: ['exports'],
			conditionNames: ['import', 'require', 'node', 'default', 'types'],
		},
	},
};
