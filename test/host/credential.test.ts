/** The "Test" of the Okta credential, pressed in a real n8n. */
import { describe, expect, test } from '@jest/globals';
import { onStage } from './on-stage';

const { n8n, okta, oktaData: right, simulator } = onStage();

describe('the test of the Okta credential', () => {
	test('passes with the right token', async () => {
		expect(await n8n.client.testCredential(okta, right)).toMatchObject({ status: 'OK' });
	});

	test('passes with the prefix that Okta shows before a token', async () => {
		const data = { ...right, apiToken: `SSWS ${String(right.apiToken)}` };
		expect(await n8n.client.testCredential(okta, data)).toMatchObject({ status: 'OK' });
	});

	test('changes nothing in Okta', async () => {
		const before = await simulator.users();
		await n8n.client.testCredential(okta, right);
		expect(await simulator.users()).toEqual(before);
	});

	test('fails on a wrong token, says so, and does not repeat it', async () => {
		const data = { ...right, apiToken: '00planted-wrong-token' };
		const result = await n8n.client.testCredential(okta, data);
		expect(result.status).toBe('Error');
		expect(result.message).toMatch(/token|credential|unauthori[sz]ed|401/i);
		expect(JSON.stringify(result)).not.toContain('planted-wrong-token');
	});

	test.each([
		['without a scheme', '127.0.0.1:9', /https/i],
		['with a path', 'https://acme.okta.com/admin', /path/i],
		['with http off loopback', 'http://acme.okta.com', /https/i],
	])('fails on a domain %s and says what is wrong', async (_, domain, says) => {
		const result = await n8n.client.testCredential(okta, { ...right, domain });
		expect(result.status).toBe('Error');
		expect(result.message).toMatch(says);
	});
});
