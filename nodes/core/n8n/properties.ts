import type { IDisplayOptions, INodeProperties } from 'n8n-workflow';
import type { Field } from '../field';

/**
 * A declared field as an n8n property. A new object each time, because n8n's loader changes what
 * it is given.
 */
export function asProperty(field: Field): INodeProperties {
	const common = {
		displayName: field.label,
		name: field.name,
		...(field.description === undefined ? {} : { description: field.description }),
		...(field.showWhen ? { displayOptions: shownWhen(field.showWhen) } : {}),
	};
	switch (field.type) {
		case 'string':
			return {
				...common,
				type: 'string',
				default: field.default ?? '',
				...(field.placeholder === undefined ? {} : { placeholder: field.placeholder }),
				...(field.required ? { required: true } : {}),
			};
		case 'secret':
			return {
				...common,
				type: 'string',
				typeOptions: { password: true },
				default: '',
				...(field.required ? { required: true } : {}),
			};
		case 'json':
			return {
				...common,
				type: 'json',
				typeOptions: { alwaysOpenEditWindow: true },
				default: '',
				...(field.required ? { required: true } : {}),
			};
		case 'boolean':
			return { ...common, type: 'boolean', default: field.default };
		case 'number':
			return {
				...common,
				type: 'number',
				default: field.default,
				typeOptions: {
					...(field.min === undefined ? {} : { minValue: field.min }),
					...(field.max === undefined ? {} : { maxValue: field.max }),
				},
			};
		case 'choice':
			return {
				...common,
				type: 'options',
				default: field.default,
				options: field.choices.map(({ value, label, description }) => ({
					name: label,
					value,
					...(description === undefined ? {} : { description }),
				})),
			};
	}
}

/** A collection of optional fields, sorted by label as n8n wants it. */
export const asCollection = (
	fields: readonly Field[],
	collection: { displayName: string; name: string; addText: string },
): INodeProperties => ({
	displayName: collection.displayName,
	name: collection.name,
	type: 'collection',
	placeholder: collection.addText,
	default: {},
	options: [...fields]
		.sort((one, other) => one.label.localeCompare(other.label, 'en'))
		.map(asProperty),
});

export const shownWhen = (
	conditions: Readonly<Record<string, readonly (string | boolean)[]>>,
): IDisplayOptions => ({
	show: Object.fromEntries(Object.entries(conditions).map(([name, values]) => [name, [...values]])),
});
