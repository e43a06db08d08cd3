import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from '@jest/globals';

const root = join(__dirname, '..', '..');
let child: ChildProcess | undefined;

afterEach(() => {
	child?.kill('SIGKILL');
});

function start(...args: string[]): ChildProcess {
	child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'main.ts'), ...args], {
		cwd: root,
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	return child;
}

async function ready(process: ChildProcess): Promise<{ vendor: string; url: string }> {
	if (process.stdout === null) throw new Error('no output');
	const [line] = (await once(createInterface(process.stdout), 'line')) as [string];
	return JSON.parse(line) as { vendor: string; url: string };
}

describe('the simulator as a process', () => {
	it('says where it is and stops on SIGTERM', async () => {
		const running = start('okta', '--port', '0', '--seed', 'demo');
		const { vendor, url } = await ready(running);
		expect(vendor).toBe('okta');
		const health = await (await fetch(`${url}/__simulator/health`)).json();
		expect(health).toEqual({ vendor: 'okta', url, ok: true });
		running.kill('SIGTERM');
		expect(await once(running, 'exit')).toEqual([0, null]);
	});

	it('stops with its parent', async () => {
		const running = start('okta', '--exit-with-parent');
		await ready(running);
		running.stdin?.end();
		expect(await once(running, 'exit')).toEqual([0, null]);
	});

	it('knows its vendors', async () => {
		const running = start('nobody');
		expect(await once(running, 'exit')).toEqual([1, null]);
	});
});
