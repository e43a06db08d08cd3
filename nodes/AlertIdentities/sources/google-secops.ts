/**
 * Google Security Operations (Chronicle): a detection, or an answer with a list of them. Members
 * are camelCase or snake_case, by version of the API.
 *
 * https://cloud.google.com/chronicle/docs/reference/detection-engine-api#listdetections
 * https://cloud.google.com/chronicle/docs/reference/udm-field-list
 */
import { z } from 'zod';
import { type Account, type Alert, defineSource, type Role } from '../contract';
import {
	accountOf,
	anyObject,
	doubtful,
	firstOf,
	isSomebody,
	memberOf,
	metaOf,
	type Named,
	type Place,
	strongNames,
	under,
} from '../values';

const detection = anyObject.refine((one) => Array.isArray(elementsOf(one).value));

const schema = z.union([
	detection.transform((one) => [{ one, path: '' }]),
	z
		.object({ detections: z.array(detection).min(1) })
		.transform(({ detections }) =>
			detections.map((one, index) => ({ one, path: `detections[${index}]` })),
		),
]);

export const googleSecops = defineSource<z.infer<typeof schema>>({
	key: 'google_secops',
	title: 'Google Security Operations',
	schema,
	read: (detections, at) =>
		detections.map(({ one, path }) => alertIn(one, path === '' ? at : under(at, path))),
});

/** A member in either spelling, and where it is. */
function member(of: unknown, at: string, camelCase: string): Place {
	const snake_case = camelCase.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
	return firstOf(at, {
		[camelCase]: memberOf(of, camelCase),
		[snake_case]: memberOf(of, snake_case),
	});
}

const elementsOf = (one: unknown, at = ''): Place => member(one, at, 'collectionElements');

/** The entries of a list, each with where it is; none when it is no list. */
const entries = ({ value, path }: Place): readonly Place[] =>
	Array.isArray(value)
		? value.map((one: unknown, index) => ({ value: one, path: `${path}[${index}]` }))
		: [];

function alertIn(one: object, at: string): Alert {
	const get = (name: string): unknown => member(one, at, name).value;
	const [rule] = entries(member(one, at, 'detection'));
	const ofRule = (name: string): unknown => member(rule?.value, '', name).value;
	const accounts = entries(elementsOf(one, at))
		.flatMap(({ value, path }) => entries(member(value, path, 'references')))
		.flatMap(({ value, path }) => accountsIn(member(value, path, 'event')));
	const isNamed = accounts.some(isSomebody);
	return {
		meta: metaOf({
			id: get('id'),
			title: ofRule('ruleName'),
			severity: ofRule('severity'),
			detectedAt: get('detectionTime') ?? get('createdTime'),
			url: ofRule('urlBackToProduct'),
		}),
		accounts: isNamed || !rule ? accounts : accountsInFields(rule),
	};
}

const BOTH =
	'An event names one user who acted and another who was acted upon, and does not say which of them is meant';

/** In an event of signing in or out the target is the user, whoever passes it on. */
const OWN_EVENTS: readonly unknown[] = ['USER_LOGIN', 'USER_LOGOUT'];

function accountsIn(event: Place): readonly Account[] {
	const metadata = member(event.value, event.path, 'metadata');
	const isOwn = OWN_EVENTS.includes(member(metadata.value, metadata.path, 'eventType').value);
	const userOf = (noun: string, role: Role): Account => {
		const side = member(event.value, event.path, noun);
		return userAccount(role, member(side.value, side.path, 'user'));
	};
	const target = userOf('target', isOwn ? 'subject' : 'target');
	const principal = userOf('principal', isOwn && isSomebody(target) ? 'actor' : 'subject');
	if (isOwn || !isSomebody(principal) || !isSomebody(target)) return [principal, target];
	const isSame = principal.identities.some(({ value }) =>
		target.identities.some((one) => one.value === value),
	);
	return isSame ? [principal] : doubtful([principal, target], BOTH);
}

function userAccount(role: Role, user: Place): Account {
	const addresses = entries(member(user.value, user.path, 'emailAddresses'));
	return accountOf(role, 'medium', [
		...addresses.map((place): Named => ({ ...place, as: 'email' })),
		{ ...member(user.value, user.path, 'userid'), as: 'name' },
		{ ...member(user.value, user.path, 'windowsSid'), as: 'sid' },
	]);
}

const USER_FIELD = /^(?:target_?)?(?:user|user_?id|user_?name|user_?email|email|upn)$/i;

const SEVERAL = 'The fields of the rule name several users, and do not say which of them is meant';

/** What the rule's author groups by, where the events name nobody. */
function accountsInFields(rule: Place): readonly Account[] {
	const accounts = entries(member(rule.value, rule.path, 'detectionFields'))
		.filter(({ value }) => USER_FIELD.test(String(memberOf(value, 'key'))))
		.map(({ value, path }) =>
			accountOf('subject', 'medium', [
				{ value: memberOf(value, 'value'), path: `${path}.value`, as: 'name' },
			]),
		);
	const isOne = new Set(accounts.flatMap(strongNames)).size < 2;
	return isOne ? accounts : doubtful(accounts, SEVERAL);
}
