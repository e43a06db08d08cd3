/** A result as a person reads it in a notification. */
import type { TargetResult } from '../result';
import { neutral } from '../neutral';
import type { Settlement } from './settle';

export type SummaryFormat = 'none' | 'text' | 'markdown' | 'slack';

interface Style {
	escape: (text: string) => string;
	bold: (text: string) => string;
	item: (text: string) => string;
}

/** Every punctuation mark can be escaped. https://spec.commonmark.org/0.31.2/#backslash-escapes */
const markdown = (text: string): string => text.replace(/[!-/:-@[-`{-~]/g, '\\$&');

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
const slack = (text: string): string =>
	text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const styles: Readonly<Record<Exclude<SummaryFormat, 'none'>, Style>> = {
	text: { escape: (text) => text, bold: (text) => text, item: (text) => `- ${text}` },
	markdown: { escape: markdown, bold: (text) => `**${text}**`, item: (text) => `- ${text}` },
	slack: { escape: slack, bold: (text) => `*${text}*`, item: (text) => `• ${text}` },
};

/** @param headline the first sentence about the user */
export function summarize(
	format: Exclude<SummaryFormat, 'none'>,
	headline: string,
	{
		results,
		...told
	}: Pick<Settlement, 'status' | 'coverage' | 'retryTargets'> & {
		results: readonly Pick<TargetResult, 'connector' | 'outcome' | 'message'>[];
		reason: string | null;
		incidentId: string | null;
		requestId: string;
	},
): string {
	const { escape, bold, item } = styles[format];
	const facts = [
		['Status', `${told.status}, coverage ${told.coverage}`],
		['Reason', told.reason],
		['Incident', told.incidentId],
		['Still to revoke', told.retryTargets.join(', ')],
		['Request', told.requestId],
	] as const;
	const lines = [
		bold(escape(headline)),
		...results.map(({ connector, outcome, message }) =>
			item(escape(`${connector}: ${outcome}. ${message}`)),
		),
		...facts.flatMap(([name, value]) => (value ? escape(`${name}: ${neutral(value)}`) : [])),
	];
	return lines.join('\n');
}
