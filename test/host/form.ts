/** A form of n8n as a signed-in person fills it in, page after page, in a browser. */
import type { Page } from 'playwright-core';

export class FormPages {
	constructor(readonly page: Page) {}

	/** What the browser answers when a page asks for HTTP basic authentication. */
	async signInAs(username: string, password: string): Promise<void> {
		await this.page.context().setHTTPCredentials({ username, password });
	}

	/** Opens a form, or a page of one that waits, and lets n8n use the login for it when it asks. */
	async open(url: string): Promise<void> {
		await this.page.goto(url, { waitUntil: 'domcontentloaded' });
		const allow = this.page.getByTestId('consent-allow-button');
		await allow.or(this.page.locator('h1')).first().waitFor();
		if (await allow.isVisible()) await allow.click();
		await this.page.locator('h1').first().waitFor();
	}

	async fill(label: string, text: string): Promise<void> {
		await this.page.getByLabel(label, { exact: true }).fill(text);
	}

	/** Chooses one of the boxes or radio buttons. */
	async tick(option: string): Promise<void> {
		await this.page.getByLabel(option, { exact: true }).check();
	}

	/** Chooses from a list. */
	async choose(label: string, option: string): Promise<void> {
		await this.page.getByLabel(label, { exact: true }).selectOption(option);
	}

	async attach(label: string, name: string, text: string): Promise<void> {
		const file = { name, mimeType: 'text/csv', buffer: Buffer.from(text) };
		await this.page.getByLabel(label, { exact: true }).setInputFiles(file);
	}

	/** Sends the page off and waits for the page with this title. */
	async submit(nextTitle: string): Promise<void> {
		await this.page.locator('#submit-btn').click();
		await this.page.getByRole('heading', { name: nextTitle, exact: true }).waitFor();
	}

	/** All that a person can read. */
	async text(): Promise<string> {
		return await this.page.locator('body').innerText();
	}
}
