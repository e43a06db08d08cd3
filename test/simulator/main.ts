/**
 * Runs one simulator as a process, for the demo and for tests that need the vendor out of process:
 *
 *   tsx test/simulator/main.ts okta --port 0 --seed demo [--latency 20] [--exit-with-parent]
 *
 * Prints one JSON line `{"vendor":"okta","url":"http://127.0.0.1:PORT"}` when it is ready.
 */
import { parseArgs } from 'node:util';
import { createAuthentik } from './authentik';
import { seedAuthentikDemo } from './authentik-demo';
import { createEntra } from './entra';
import { seedEntraDemo } from './entra-demo';
import { createGoogle } from './google';
import { seedGoogleDemo } from './google-demo';
import { createJanssen } from './janssen';
import { seedJanssenDemo } from './janssen-demo';
import { createKratos } from './kratos';
import { seedKratosDemo } from './kratos-demo';
import { createMiro } from './miro';
import { seedMiroDemo } from './miro-demo';
import { createOkta } from './okta';
import { seedDemo } from './okta-demo';
import { type SimulatedVendor, startSimulator } from './simulator';
import { createSlack } from './slack';
import { seedSlackDemo } from './slack-demo';
import { createStytch } from './stytch';
import { seedStytchDemo, STYTCH_DEMO_KEYS } from './stytch-demo';

type Seeds = Readonly<Record<string, () => SimulatedVendor>>;

const VENDORS: Readonly<Record<string, Seeds>> = {
	authentik: {
		demo: () => createAuthentik({ seed: seedAuthentikDemo }),
		none: () => createAuthentik(),
	},
	entra: { demo: () => createEntra({ seed: seedEntraDemo }), none: () => createEntra() },
	google_workspace: {
		demo: () => createGoogle({ seed: seedGoogleDemo }),
		none: () => createGoogle(),
	},
	janssen: { demo: () => createJanssen({ seed: seedJanssenDemo }), none: () => createJanssen() },
	kratos: { demo: () => createKratos({ seed: seedKratosDemo }), none: () => createKratos() },
	miro: { demo: () => createMiro({ seed: seedMiroDemo }), none: () => createMiro() },
	okta: { demo: () => createOkta({ seed: seedDemo }), none: () => createOkta() },
	slack_enterprise: {
		demo: () => createSlack({ seed: seedSlackDemo }),
		none: () => createSlack(),
	},
	stytch: {
		demo: () => createStytch({ ...STYTCH_DEMO_KEYS, seed: seedStytchDemo }),
		none: () => createStytch(),
	},
};

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			port: { type: 'string', default: '0' },
			seed: { type: 'string', default: 'demo' },
			latency: { type: 'string', default: '0' },
			'exit-with-parent': { type: 'boolean', default: false },
		},
	});
	const [name = ''] = positionals;
	const create = VENDORS[name]?.[values.seed];
	if (create === undefined) {
		const known = Object.entries(VENDORS).map(
			([one, seeds]) => `${one} (${Object.keys(seeds).join(', ')})`,
		);
		throw new Error(`unknown vendor or seed: ${name} ${values.seed}; known: ${known.join('; ')}`);
	}
	const simulator = await startSimulator(create(), {
		port: Number(values.port),
		latencyMs: Number(values.latency),
	});
	process.stdout.write(`${JSON.stringify({ vendor: name, url: simulator.url })}\n`);

	let stopping = false;
	const stop = () => {
		if (stopping) return;
		stopping = true;
		void simulator.close().then(() => process.exit(0));
	};
	process.on('SIGTERM', stop);
	process.on('SIGINT', stop);
	if (values['exit-with-parent']) {
		// A parent that dies, however it dies, closes its end of the pipe.
		process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
	}
}

main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	process.exitCode = 1;
});
