/** Characters by which chat programs and Markdown make something of a text, and harmless ones that look alike. */
const LOOKALIKES: Readonly<Record<string, string>> = {
	'<': '‹',
	'>': '›',
	'&': '＆',
	'*': '∗',
	'`': 'ˋ',
	'~': '∼',
	'|': '｜',
	'\\': '＼',
};

/**
 * A message that can go into any notification as it is: no mention and no markup comes of it. What
 * cannot do harm stays as it was, so that addresses read as they are.
 */
export const withoutMarkup = (text: string): string =>
	text
		.replace(/[<>&*`~|\\]/g, (character) => LOOKALIKES[character] ?? character)
		.replace(/\](?=[([:])/g, '］')
		.replace(/@(?=(?:channel|here|everyone|all)\b)/gi, '＠')
		.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');

/** A value from outside within a message: nothing to click on comes of it either. */
export const neutral = (value: string): string =>
	withoutMarkup(value)
		.replaceAll('://', ':∕∕')
		.replace(/\bwww\./gi, 'www․');
