/** The bodies that the page tells senders to paste are understood, once the sender has filled them in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { sources } from '../../../nodes/AlertIdentities/sources';
import { candidates, find, users } from '../../support/alerts';

const page = readFileSync(join(__dirname, '../../../docs/alert-identities.md'), 'utf8');

function bodyFor(key: string): string {
	const section = page.slice(page.indexOf(`\n\`${key}\``));
	return /```json\n([^]*?)\n```/.exec(section)?.[1] ?? '';
}

test('every sender has its section', () => {
	for (const { key, title } of sources) expect(page).toContain(`\n### ${title}\n\n\`${key}\`.`);
	expect(page).toContain('\n### Custom\n\n`custom`.');
});

test('Elastic', () => {
	const alert = JSON.stringify({ 'kibana.alert.uuid': 'u', user: { email: 'jane@example.com' } });
	const body = bodyFor('elastic')
		.replace('{{{context.alerts}}}', `${alert},${alert}`)
		.replace('{{rule.name}}', 'Rule');
	expect(users(body)).toEqual(['jane@example.com', 'jane@example.com']);
	expect(find(body)[0]?.alert).toMatchObject({ source: 'elastic', title: 'Rule' });
});

test('CrowdStrike', () => {
	const body = bodyFor('crowdstrike')
		.replace(/"\$\{[^}]*InvestigatableID[^}]*\}"/, '"a1"')
		.replace(/"\$\{[^}]*SourceAccountName[^}]*\}"/, '"jane"')
		.replace(/"\$\{[^}]*ObjectSid[^}]*\}"/, '"S-1-5-21-1-2-3-4"');
	expect(candidates(body)).toEqual(['sid S-1-5-21-1-2-3-4', 'login jane']);
	expect(find(body)[0]?.alert).toMatchObject({ source: 'crowdstrike', id: 'a1' });
});

test('Datadog', () => {
	const body = bodyFor('datadog')
		.replace('$SECURITY_SIGNAL_ATTRIBUTES', '{"usr":{"id":"jane@example.com"}}')
		.replace('$SECURITY_RULE_GROUP_BY_FIELDS', '{"@usr.name":"jane"}')
		.replace('$SECURITY_SIGNAL_ID', 's1')
		.replace('$SECURITY_SIGNAL_SEVERITY', 'high')
		.replace('$LINK', 'https://app.datadoghq.com/');
	expect(users(body)).toEqual(['jane@example.com']);
	expect(find(body)[0]?.alert).toMatchObject({ source: 'datadog', id: 's1', severity: 'high' });
});
