import chromiumBinary from '@sparticuz/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';

/** The Chromium that comes in an npm package; it talks to nobody but the page it is given. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await chromiumBinary.executablePath(),
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-dev-shm-usage',
    ],
  });
}

export interface OpenPage {
  page: Page;
  /** Errors of scripts and of the console, content security policy included, since the page was opened. */
  errors: string[];
}

/** A fresh profile with a page in it. */
export async function openPage(
  browser: Browser,
  options: { width?: number; height?: number; colorScheme?: 'light' | 'dark' } = {},
): Promise<OpenPage> {
  const { width = 1440, height = 1000, colorScheme = 'light' } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    locale: 'en-US',
    timezoneId: 'UTC',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  return { page, errors };
}

/** Waits until no panel is loading and returns each panel's state by its id. */
export async function settled(page: Page): Promise<Record<string, string>> {
  await page.waitForSelector('.panel');
  await page.locator('[aria-busy], [data-state=loading]').first().waitFor({ state: 'detached' });
  return page.$$eval('.panel', (panels) =>
    Object.fromEntries(
      panels.map((panel) => [panel.getAttribute('data-panel') ?? '', panel.getAttribute('data-state') ?? '']),
    ),
  );
}

/** A picture into the folder of HELIOGRAPH_SCREENSHOTS, where it is set. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env['HELIOGRAPH_SCREENSHOTS'];
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
