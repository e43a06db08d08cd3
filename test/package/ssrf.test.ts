/** n8n's SSRF protection is read when n8n's core is loaded: so it is switched on before anything is. */
process.env.N8N_SSRF_PROTECTION_ENABLED = 'true';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type OktaBench, startOkta } from '../support/okta';
import { runNode } from './engine';

let bench: OktaBench;
beforeAll(async () => {
	bench = await startOkta();
	bench.org.addUser({ login: 'jane@example.com', sessions: 1 });
});
afterAll(() => bench.close());

test('an address that n8n forbids is not called, and the result says why', async () => {
	const { failure, error } = await runNode({
		type: 'oktaSessions',
		parameters: { operation: 'revokeAllSessions', user: 'jane@example.com' },
		credentials: { oktaSessionsApi: bench.credential() as never },
	});
	expect(error).toBeUndefined();
	expect(failure[0]?.json).toMatchObject({
		outcome: 'failed',
		cause: 'blocked_by_policy',
		changed: false,
		attempts: 0,
	});
	expect(bench.simulator.requests).toEqual([]);
	expect(bench.simulator.traffic.connections).toBe(0);
	expect(bench.org.sessionsOf('jane@example.com')).toHaveLength(1);
});
