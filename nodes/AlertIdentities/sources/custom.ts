/** Any other sender: the user of the node says where the users are. */
import { type AlertSource, defineSource, UnreadableAlert } from '../contract';
import { accountsOf, anyObject, isBlank, type Place, under, UNTOLD } from '../values';

const LONGEST_PATH = 512;

/**
 * @param userPath a JSON path: names with dots, `[0]`, `['a name']`, and `[*]` for every entry
 * @throws UnreadableAlert when it is none
 */
export function customSource(userPath: unknown): AlertSource {
	const steps = stepsOf(userPath);
	return defineSource<object>({
		key: 'custom',
		title: 'the custom sender',
		schema: anyObject,
		read(body, at) {
			const places = steps.reduce<readonly Place[]>(
				(found, step) => found.flatMap((place) => below(place, step)),
				[{ value: body, path: at }],
			);
			// Entries of a list are different users; that is why each place is read by itself.
			const accounts = places.flatMap((place) =>
				accountsOf('subject', 'medium', [{ ...place, as: 'name' }]),
			);
			return [{ meta: UNTOLD, accounts }];
		},
	});
}

/** The name of a member, the number of an entry, or every entry. */
type Step = string | number | typeof EVERY;

const EVERY = Symbol('every entry');

const STEP = /(?:^|\.)([^.[\]'"*\s]+)|\[(\d{1,6})\]|\[(?:'([^']+)'|"([^"]+)")\]|(\[\*\])/y;

function stepsOf(userPath: unknown): readonly Step[] {
	if (isBlank(userPath)) {
		throw new UnreadableAlert("The parameter 'User Path' is empty: say where the user stands");
	}
	const text = typeof userPath === 'string' ? userPath.trim().replace(/^\$\.?/, '') : '';
	const steps: Step[] = [];
	STEP.lastIndex = 0;
	for (let at = 0; at < text.length; at = STEP.lastIndex) {
		const [, name, index, single, double, every] = STEP.exec(text) ?? [];
		const key = name ?? single ?? double;
		if (key !== undefined) steps.push(key);
		else if (index !== undefined) steps.push(Number(index));
		else if (every !== undefined) steps.push(EVERY);
		else break;
	}
	if (steps.length === 0 || text.length > LONGEST_PATH || STEP.lastIndex !== text.length) {
		throw new UnreadableAlert(
			"The parameter 'User Path' is no path: write it like data.user.email, users[0].name or users[*]['e-mail']",
		);
	}
	return steps;
}

function below({ value, path }: Place, step: Step): readonly Place[] {
	if (typeof value !== 'object' || value === null) return [];
	if (step === EVERY) {
		return Array.isArray(value)
			? value.map((one: unknown, index) => ({ value: one, path: `${path}[${index}]` }))
			: [];
	}
	if (!Object.hasOwn(value, step)) return [];
	const isPlain = typeof step === 'string' && /^[\w$]+$/.test(step);
	const name = isPlain ? step : typeof step === 'number' ? `[${step}]` : `['${step}']`;
	return [{ value: (value as Record<string | number, unknown>)[step], path: under(path, name) }];
}
