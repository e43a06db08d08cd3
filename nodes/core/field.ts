/**
 * A form field as a connector declares it; the n8n faces turn it into an n8n property.
 * Texts follow n8n's rules: labels in Title Case, booleans described by "Whether …", no final full stop.
 */
interface FieldBase {
	name: string;
	label: string;
	description?: string;
	/** Shown only while each named field has one of the values. */
	showWhen?: Readonly<Record<string, readonly (string | boolean)[]>>;
}

export type Field =
	| (FieldBase & { type: 'string'; default?: string; placeholder?: string; required?: boolean })
	/** Never shown again, never put out. */
	| (FieldBase & { type: 'secret'; placeholder?: string; required?: boolean })
	/** JSON as text; n8n gives it as text, or as what an expression made of it. */
	| (FieldBase & { type: 'json'; required?: boolean })
	| (FieldBase & { type: 'boolean'; default: boolean })
	| (FieldBase & { type: 'number'; default: number; min?: number; max?: number })
	| (FieldBase & {
			type: 'choice';
			default: string;
			choices: readonly { value: string; label: string; description?: string }[];
	  });
