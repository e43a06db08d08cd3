import js from '@eslint/js';
import { n8nCommunityNodesPlugin } from '@n8n/eslint-plugin-community-nodes';
import prettier from 'eslint-config-prettier';
import n8nNodesBase from 'eslint-plugin-n8n-nodes-base';
import tseslint from 'typescript-eslint';

const shipped = ['nodes/**/*.ts', 'credentials/**/*.ts'];

export default tseslint.config(
	{ ignores: ['dist/', 'node_modules/', '.cache/', 'coverage/', 'test/host/screenshots/'] },
	js.configs.recommended,
	{
		files: ['**/*.ts', '**/*.mts'],
		extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
		languageOptions: { parserOptions: { projectService: true } },
		rules: {
			// Texts are built from numbers and literal unions everywhere; those say what they are.
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
			'@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
			// Taking members out of an object is how the others are kept.
			'@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
			// A class without members of its own is how n8n finds a node: `class X extends factory(…) {}`.
			'@typescript-eslint/no-extraneous-class': 'off',
			'@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
		},
	},
	{
		files: ['test/**/*.ts'],
		rules: {
			// Tests take methods apart on purpose: to hand them to another `this`, or to wrap them.
			'@typescript-eslint/unbound-method': 'off',
		},
	},
	{
		files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
		languageOptions: {
			globals: {
				console: 'readonly',
				exports: 'writable',
				module: 'writable',
				process: 'readonly',
				require: 'readonly',
				setTimeout: 'readonly',
			},
		},
	},
	{ files: shipped, ...n8nCommunityNodesPlugin.configs.recommendedWithoutN8nCloudSupport },
	{
		files: ['package.json'],
		...n8nCommunityNodesPlugin.configs.recommendedWithoutN8nCloudSupport,
		languageOptions: { parser: tseslint.parser },
		rules: {
			...n8nCommunityNodesPlugin.configs.recommendedWithoutN8nCloudSupport.rules,
			'no-unused-expressions': 'off',
		},
	},
	{
		files: ['nodes/**/*.ts'],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: {
			...n8nNodesBase.configs.nodes.rules,
			// Looks for nodes in the files that make their descriptions; test/package checks the names of what is built.
			'n8n-nodes-base/node-filename-against-convention': 'off',
			// Want one literal 'main' each, which newer rules of n8n's forbid and which would take an output away.
			'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
			'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
		},
	},
	{
		// What is thrown here never reaches n8n: the faces in nodes/core/n8n turn it into n8n's errors.
		files: ['nodes/**/*.ts'],
		ignores: ['nodes/core/n8n/**'],
		rules: { '@n8n/community-nodes/require-node-api-error': 'off' },
	},
	{
		files: ['credentials/**/*.ts'],
		plugins: { 'n8n-nodes-base': n8nNodesBase },
		rules: n8nNodesBase.configs.credentials.rules,
	},
	prettier,
);
