/** Chromium, signed in to the n8n of the host tests, and what is looked for in its editor. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, selectors, type Browser, type Page } from 'playwright-core';
import type { Owner } from './client';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const WAIT_MS = 60_000;
const MARGIN = 16;
const SCREENSHOTS = join(__dirname, 'screenshots');

/** Says exactly what to do when there is no browser, before anything long has begun. */
export function requireChromium(): void {
	if (existsSync(CHROMIUM)) return;
	throw new Error(
		`The host tests need Chromium, and there is none at ${CHROMIUM}.\n` +
			'Install it:  apt-get update && apt-get install --no-install-recommends chromium fonts-dejavu-core\n' +
			'or set CHROMIUM_PATH to a Chromium or Chrome that is there.',
	);
}

/** n8n's editor, as a signed-in person sees it. */
export class Editor {
	private constructor(
		private readonly browser: Browser,
		readonly page: Page,
		private readonly url: string,
	) {}

	/** Starts the browser and signs in. `height` is that of the window, in pixels. */
	static async open(url: string, owner: Owner, height = 1000): Promise<Editor> {
		// n8n's markup uses its own attribute; with playwright's default no test id is ever found.
		selectors.setTestIdAttribute('data-test-id');
		const browser = await chromium.launch({
			executablePath: CHROMIUM,
			args: [
				...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
				...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
			],
		});
		const context = await browser.newContext({ viewport: { width: 1600, height } });
		const page = await context.newPage();
		page.setDefaultTimeout(WAIT_MS);
		const editor = new Editor(browser, page, url);
		try {
			await editor.signIn(owner);
			return editor;
		} catch (error) {
			await editor.close();
			throw error;
		}
	}

	private async signIn({ email, password }: Owner): Promise<void> {
		const { page } = this;
		await page.goto(`${this.url}/signin`, { waitUntil: 'domcontentloaded' });
		await page.locator('input[type=email], input[name=emailOrLdapLoginId]').first().fill(email);
		await page.locator('input[type=password]').fill(password);
		await page.getByTestId('form-submit-button').click();
		await page.waitForURL((to) => !to.pathname.includes('signin'));
	}

	async openWorkflow(workflowId: string): Promise<void> {
		const address = `${this.url}/workflow/${workflowId}`;
		await this.page.goto(address, { waitUntil: 'domcontentloaded' });
		await this.page.getByTestId('canvas-node').first().waitFor();
		await this.settle();
		await this.closeAdvice();
		await this.page.getByTestId('zoom-to-fit').click();
		await this.settle();
	}

	/** n8n's advice for published workflows, which covers a part of the canvas. */
	private async closeAdvice(): Promise<void> {
		const close = this.page.getByTestId('suggested-actions-close');
		if (await close.isVisible()) await close.click();
	}

	/** The node with this name on the canvas. */
	node(name: string) {
		return this.page.locator(`[data-test-id="canvas-node"][data-node-name="${name}"]`);
	}

	/** The labels at a node's outputs, from top to bottom. */
	async outputLabels(name: string): Promise<string[]> {
		const handles = `[data-test-id="canvas-node-output-handle"][data-node-name="${name}"]`;
		const labels = await this.page.locator(handles).allInnerTexts();
		// After a run the number of items stands under an output that leads nowhere.
		return labels.map((label) => label.trim().split('\n')[0] ?? '');
	}

	/** Opens a node's panel, as a double click does. */
	async openPanel(name: string): Promise<void> {
		await this.node(name).dblclick();
		await this.page
			.getByTestId('ndv')
			.or(this.page.getByTestId('node-parameters'))
			.first()
			.waitFor();
		await this.settle();
	}

	/** Closes the panel that is open, if one is. */
	async closePanel(): Promise<void> {
		const panel = this.page.getByTestId('ndv').first();
		if (!(await panel.isVisible())) return;
		await this.page.getByTestId('ndv-close-button').first().click();
		await panel.waitFor({ state: 'hidden' });
	}

	/** Opens the list of operations in the open panel. */
	async openOperations(): Promise<void> {
		await this.page.getByTestId('parameter-input-operation').first().click();
		await this.settle();
	}

	/** Opens the form of the first credential in the open panel, and waits until n8n has tested it. */
	async openCredential(): Promise<void> {
		await this.page.getByTestId('credential-edit-button').first().click();
		await this.page
			.getByText(/^Connection tested successfully|^Couldn’t connect/)
			.first()
			.waitFor();
		await this.settle();
	}

	/** Closes what lies over a panel: a list, or the form of a credential. */
	async dismiss(): Promise<void> {
		await this.page.keyboard.press('Escape');
		await this.settle();
	}

	/** Changes to n8n's dark appearance; what is opened afterwards has it. */
	async goDark(): Promise<void> {
		await this.page.evaluate("localStorage.setItem('N8N_THEME', 'dark')");
	}

	/** How wide the icons of the nodes on the canvas are by themselves, in pixels: 0 where there is nothing to show. */
	async iconWidths(): Promise<number[]> {
		return await this.page.evaluate(
			`[...document.querySelectorAll('[data-test-id="canvas-node"] img')].map((one) => one.naturalWidth)`,
		);
	}

	/** Presses the button below the canvas, and waits until the run has succeeded. */
	async execute(): Promise<void> {
		await this.page.getByTestId('execute-workflow-button').first().click();
		await this.page.getByTestId('canvas-node-status-success').first().waitFor();
		await this.settle();
	}

	/** All that a person can read at the moment: texts, and what stands in the fields. */
	async visibleText(): Promise<string> {
		const texts = await this.page.locator('body').innerText();
		const inputs = await this.page.locator('input:visible').all();
		const fields = await Promise.all(inputs.map(async (input) => await input.inputValue()));
		return [texts, ...fields].join('\n');
	}

	/** The editor moves things into place after they have appeared. */
	private async settle(): Promise<void> {
		await this.page.waitForTimeout(1500);
	}

	/** Saves what is to be seen; gives the file's path. */
	async screenshot(name: string): Promise<string> {
		mkdirSync(SCREENSHOTS, { recursive: true });
		const path = join(SCREENSHOTS, `${name}.png`);
		await this.page.screenshot({ path });
		return path;
	}

	/** Saves the nodes and notes on the canvas, without the editor around them; gives the file's path. */
	async canvas(name: string): Promise<string> {
		mkdirSync(SCREENSHOTS, { recursive: true });
		const path = join(SCREENSHOTS, `${name}.png`);
		const shown = await this.page.locator('.vue-flow__node').all();
		const boxes = (await Promise.all(shown.map(async (one) => await one.boundingBox()))).filter(
			(box) => box !== null,
		);
		const left = Math.min(...boxes.map(({ x }) => x)) - MARGIN;
		const top = Math.min(...boxes.map(({ y }) => y)) - MARGIN;
		const width = Math.max(...boxes.map((box) => box.x + box.width)) + MARGIN - left;
		const height = Math.max(...boxes.map((box) => box.y + box.height)) + MARGIN - top;
		await this.page.screenshot({ path, clip: { x: left, y: top, width, height } });
		return path;
	}

	async close(): Promise<void> {
		await this.browser.close();
	}
}
