import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOARDS } from '../../dashboards/index.ts';
import { dataPanels } from '../../dashboards/shared/model.ts';
import { type BoardServer, seed, startBoardServer } from './support/board-server.ts';
import { openPage, screenshot, settled, startBrowser } from './support/browser.ts';

let server: BoardServer;
let browser: Browser;
let origin: string;
beforeAll(async () => {
  server = await startBoardServer();
  await seed(server.engine, 20_000);
  origin = await server.app.listen({ host: '127.0.0.1', port: 0 });
  browser = await startBrowser();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await server.stop();
});

const OVERVIEW = '/d/heliograph-overview';
const SERVICE = '/d/heliograph-service-latency';
const boards = BOARDS.map((build) => build());

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(boards.map((board) => [board.title, board] as const))('%s draws every panel', async (_title, board) => {
    const { page, errors } = await openPage(browser, { colorScheme });
    await page.goto(`${origin}/d/${board.uid}`);
    const states = await settled(page);
    expect(states).toEqual(Object.fromEntries(dataPanels(board).map(({ id }) => [String(id), 'drawn'])));
    expect(await page.title()).toBe(`${board.title} · Heliograph`);
    const canvases = dataPanels(board).filter(({ type }) => type === 'timeseries' || type === 'heatmap').length;
    expect(await page.locator('.plot canvas').count()).toBe(canvases);
    expect(await page.locator('footer').textContent()).toMatch(
      /^Data as of \d{4}-\d\d-\d\d .* received in [\d.]+% of this range/,
    );
    expect(errors).toEqual([]);
    await screenshot(page, `${board.uid}-${colorScheme}`);
    await page.context().close();
  });
});

test('the first address leads to the overview, and a service there leads to its latency', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}/?from=now-1h`);
  await settled(page);
  await page.locator('[data-panel="10"]').getByRole('link', { name: 'checkout' }).click();
  await page.waitForURL(/heliograph-service-latency/);
  const states = await settled(page);
  expect(Object.values(states)).not.toContain('failed');
  const url = new URL(page.url());
  expect([...url.searchParams]).toEqual(
    expect.arrayContaining([
      ['from', 'now-1h'],
      ['to', 'now'],
      ['var-service', 'checkout'],
      ['var-route', '$__all'],
    ]),
  );
  await page.goBack();
  await page.waitForURL(/heliograph-overview/);
  expect(Object.keys(await settled(page))).toHaveLength(14);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a browser whose language is no language tag draws the charts too', async () => {
  const { page, errors } = await openPage(browser);
  await page.addInitScript(
    "Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix', configurable: true })",
  );
  await page.goto(`${origin}${SERVICE}`);
  expect(Object.values(await settled(page))).not.toContain('error');
  expect(await page.locator('.panel canvas').count()).toBeGreaterThan(2);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('variables: one service, several routes, and the board keeps them in its address', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${SERVICE}`);
  await settled(page);
  await page.getByRole('button', { name: 'Service' }).first().click();
  await page.getByRole('option', { name: 'payments' }).click();
  await page.waitForURL(/var-service=payments/);
  await settled(page);
  await page.getByRole('button', { name: 'Route' }).first().click();
  await page.keyboard.type('capture');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.waitForURL(/var-route=payments.v1.Payments%2FCapture/);
  await settled(page);
  expect(await page.locator('[data-panel="12"] tbody tr').count()).toBe(1);
  expect(await page.locator('[data-panel="12"] tbody').textContent()).toContain('payments.v1.Payments/Capture');
  await page.getByRole('button', { name: 'Service' }).first().click();
  await page.getByRole('option', { name: 'checkout' }).click();
  await page.waitForURL(/var-service=checkout&var-route=%24__all/);
  await settled(page);
  expect(await page.locator('[data-panel="12"] tbody tr').count()).toBe(3);
  await page.getByRole('button', { name: 'Board', exact: true }).click();
  const other = await page.getByRole('link', { name: 'Overview' }).getAttribute('href');
  expect(other).toContain('var-service=checkout');
  expect(errors).toEqual([]);
  await page.context().close();
});

test('the keyboard reaches what the mouse does', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${SERVICE}?from=1700000000000&to=1700003600000&var-service=checkout`);
  await settled(page);
  await page.keyboard.press('?');
  expect(await page.getByRole('dialog', { name: 'Keyboard' }).isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  expect(await page.getByRole('dialog', { name: 'Keyboard' }).isVisible()).toBe(false);
  await page.keyboard.press('-');
  await page.waitForURL(/from=1699998200000&to=1700005400000/);
  await settled(page);
  await page.keyboard.press('+');
  await page.waitForURL(/from=1700000000000&to=1700003600000/);
  await settled(page);
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(/from=1700001800000&to=1700005400000/);
  await page.keyboard.press('/');
  expect(await page.evaluate(`document.activeElement?.getAttribute('aria-label')`)).toBe('Search Service');
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  await page.getByLabel('From').fill('2026-01-31 08:00');
  await page.getByLabel('To', { exact: true }).fill('2026-01-31 07:00');
  await page.keyboard.press('Enter');
  expect(await page.getByRole('alert').filter({ hasText: 'From must be earlier' }).isVisible()).toBe(true);
  await page.getByLabel('To', { exact: true }).fill('2026-01-31 09:00');
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=1769846400000&to=1769850000000/);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('dragging over a chart sets the range, once', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}?from=now-1h&to=now`);
  await settled(page);
  const entries = await page.evaluate<number>('history.length');
  const box = await page.locator('[data-panel="7"] .u-over').boundingBox();
  if (box === null) throw new Error('no chart');
  await page.mouse.move(box.x + 60, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 180, box.y + 50, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=\d{13}&to=\d{13}/);
  await settled(page);
  expect(await page.evaluate<number>('history.length')).toBe(entries + 1);
  await page.context().close();
});

test('a table sorts by its columns, numbers first largest, unknown last', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}`);
  await settled(page);
  const services = () => page.locator('[data-panel="10"] tbody tr td:first-child').allTextContents();
  await page.getByRole('button', { name: 'Error ratio', exact: true }).click();
  expect((await services()).at(-1)).toBe('nightly-report');
  expect(await page.locator('[data-panel="10"] th[aria-sort=descending]').textContent()).toContain('Error ratio');
  const descending = await services();
  await page
    .getByRole('button', { name: /^Error ratio/ })
    .last()
    .click();
  const ascending = await services();
  expect(ascending.at(-1)).toBe('nightly-report');
  expect(ascending.slice(0, -1).toReversed()).toEqual(descending.slice(0, -1));
  await page.context().close();
});

test('the theme switches and stays', async () => {
  const { page } = await openPage(browser, { colorScheme: 'light' });
  await page.goto(`${origin}${OVERVIEW}`);
  await settled(page);
  const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
  const light = await background();
  await page.keyboard.press('d');
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  await settled(page);
  expect(await background()).toBe(dark);
  await page.context().close();
});

test('an empty range says what to do, in every panel that has nothing', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}?from=2001-01-01&to=2001-01-02`);
  const states = await settled(page);
  expect(Object.values(states).filter((state) => state === 'empty')).toHaveLength(13);
  expect(await page.locator('[data-panel="7"]').textContent()).toContain(
    'OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318',
  );
  expect(errors).toEqual([]);
  await screenshot(page, 'empty');
  await page.context().close();
});

test('a phone shows everything in one column without scrolling sideways', async () => {
  const { page } = await openPage(browser, { width: 390, height: 844 });
  await page.goto(`${origin}${SERVICE}?var-service=checkout`);
  await settled(page);
  const [scroll, client] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(scroll).toBeLessThanOrEqual(client);
  await screenshot(page, 'phone');
  await page.context().close();
});

test.each([
  ['light', 390],
  ['dark', 390],
  ['light', 1280],
  ['dark', 1280],
] as const)('the pipeline, %s and %i wide, is drawn without scrolling sideways', async (colorScheme, width) => {
  const { page, errors } = await openPage(browser, { width, height: 844, colorScheme });
  await page.goto(`${origin}/d/heliograph-pipeline`);
  const states = await settled(page);
  expect(Object.values(states).filter((state) => state !== 'drawn')).toEqual([]);
  const [scroll, client] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(scroll).toBeLessThanOrEqual(client);
  expect(await page.locator('[data-panel="17"] tbody tr').first().textContent()).toContain('storefront-prod');
  expect(await page.locator('[data-panel="19"] tbody').textContent()).toContain('Free space');
  const cut =
    "[...document.querySelectorAll('.rows td.wrap')].filter((cell) => cell.scrollWidth > cell.clientWidth).length";
  expect(await page.locator('.rows td.wrap').count()).toBeGreaterThan(3);
  expect(await page.evaluate<number>(cut)).toBe(0);
  expect(errors).toEqual([]);
  await screenshot(page, `pipeline-${colorScheme}-${width}`);
  await page.context().close();
});

test('the overview leads to the pipeline, with the time range', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}?from=now-30m&to=now`);
  await settled(page);
  await page.getByRole('navigation', { name: 'Related boards' }).getByRole('link', { name: 'Pipeline' }).click();
  await page.waitForURL(/heliograph-pipeline\?from=now-30m&to=now/);
  expect(Object.values(await settled(page))).not.toContain('failed');
  await page.context().close();
});

test('a closed row loads nothing until it opens', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}`);
  await settled(page);
  await page.getByRole('button', { name: 'Services', exact: true }).click();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.keyboard.press('r');
  await settled(page);
  expect(asked.some((url) => url.includes('/panels/10?'))).toBe(false);
  await Promise.all([
    page.waitForResponse((response) => response.url().includes('/panels/10?')),
    page.getByRole('button', { name: 'Services', exact: true }).click(),
  ]);
  await page.context().close();
});

test('a hidden tab rests, and catches up when it is shown', async () => {
  const { page } = await openPage(browser);
  await page.clock.install();
  await page.goto(`${origin}${OVERVIEW}?refresh=5s`);
  await settled(page);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const setHidden = (hidden: boolean) =>
    page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  await setHidden(true);
  await page.clock.runFor(60_000);
  expect(asked).toEqual([]);
  await Promise.all([page.waitForResponse((response) => response.url().includes('/panels/')), setHidden(false)]);
  await page.context().close();
});

test('an unknown board offers the boards there are', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}/d/nope`);
  await page.getByText('There is no board at this address').waitFor();
  await page.locator('main').getByRole('link', { name: 'Service latency' }).click();
  expect(Object.keys(await settled(page))).toHaveLength(13);
  await page.context().close();
});

const FLAMES = '/d/heliograph-flamegraph?var-service=checkout';

/** A point in a level of the flame graph, in page coordinates. */
async function boxAt(page: Page, level: number, share = 0.5): Promise<{ x: number; y: number }> {
  const box = await page.locator('.flame-scroll canvas').boundingBox();
  if (box === null) throw new Error('no flame graph');
  return { x: box.x + box.width * share, y: box.y + level * 20 + 10 };
}

test('a flame graph is looked into by click, searched, and left again', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${FLAMES}`);
  await settled(page);
  const tip = page.locator('.flame-tip');
  const root = await boxAt(page, 0);
  await page.mouse.move(root.x, root.y);
  expect(await tip.textContent()).toMatch(/^totalTotal[\d.]+ s · 100%Self0 ns · 0%$/);
  const serve = await boxAt(page, 1);
  await page.mouse.move(serve.x, serve.y);
  expect(await tip.textContent()).toMatch(/^net\/http\.\(\*conn\)\.serve.*Of its caller[\d.]+%$/);
  expect(await page.getByRole('navigation', { name: 'Focused function' }).isVisible()).toBe(false);
  await page.mouse.click(serve.x, serve.y);
  const path = page.getByRole('navigation', { name: 'Focused function' });
  expect(await path.getByRole('button').allTextContents()).toEqual(['total', 'http.(*conn).serve']);
  await page.getByLabel('Search functions').fill('regexp');
  expect(await page.locator('.flame-found').textContent()).toMatch(/^\d+ frames, [\d.]+% of all$/);
  await screenshot(page, 'flamegraph-focused');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await path.isVisible()).toBe(false);
  expect(await page.getByLabel('Search functions').inputValue()).toBe('');
  const rows = page.locator('.flame-top tbody tr');
  expect(await rows.first().textContent()).toContain('regexp.(*Regexp).backtrack');
  await page.getByRole('button', { name: 'Total', exact: true }).click();
  expect(await rows.first().textContent()).toContain('total');
  await rows.nth(1).getByRole('button').click();
  expect(await page.locator('.flame-found').textContent()).toMatch(/^1 frame, [\d.]+% of all$/);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a flame graph is walked by arrows, and a refresh keeps the place', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${FLAMES}`);
  await settled(page);
  const address = page.url();
  await page.locator('.flame-scroll').focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
  expect(await page.locator('.flame-label').textContent()).toBe('net/http.serverHandler.ServeHTTP');
  await page.keyboard.press('ArrowUp');
  expect(await page.locator('.flame-label').textContent()).toBe('net/http.(*conn).serve');
  await page.keyboard.press('ArrowLeft');
  expect(await page.locator('.flame-label').textContent()).not.toBe('net/http.(*conn).serve');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const crumbs = page.locator('.flame-path button');
  expect(await crumbs.allTextContents()).toEqual(['total', 'http.(*conn).serve']);
  expect(page.url()).toBe(address);
  await Promise.all([
    page.waitForResponse((response) => response.url().includes('/panels/5?')),
    page.locator('.flame-scroll').press('r'),
  ]);
  await settled(page);
  expect(await crumbs.allTextContents()).toEqual(['total', 'http.(*conn).serve']);
  await page.locator('.flame-scroll').press('Escape');
  expect(await page.locator('.flame-path').isVisible()).toBe(false);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a flame graph without profiles says why, and a phone gets it without the list', async () => {
  const { page, errors } = await openPage(browser, { width: 390, height: 844 });
  await page.goto(`${origin}${FLAMES}&var-profile=goroutine&var-sample_type=goroutine`);
  await settled(page);
  expect(await page.locator('.flame-top').isVisible()).toBe(false);
  const root = await boxAt(page, 0);
  await page.locator('.flame-scroll').scrollIntoViewIfNeeded();
  const scrolled = await boxAt(page, 0);
  await page.mouse.move(scrolled.x, scrolled.y);
  expect(root.x).toBe(scrolled.x);
  expect(await page.locator('.flame-tip').textContent()).toMatch(/^totalTotal[\d.]+ · 100%/);
  await page.goto(`${origin}${FLAMES}&from=2001-01-01&to=2001-01-02&var-profile=cpu&var-sample_type=cpu`);
  expect(Object.values(await settled(page))).toEqual(['empty', 'empty', 'empty', 'empty', 'empty', 'empty']);
  expect(await page.locator('[data-panel="5"] .panel-message').textContent()).toContain('every ten minutes');
  expect(errors).toEqual([]);
  await page.context().close();
});

test('deploys stand on the charts, say what they are, and are switched off', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${SERVICE}?var-service=checkout&from=now-1h&to=now&refresh=`);
  await settled(page);
  const toggle = page.getByRole('button', { name: /^Deploys/ });
  await page.locator('.annotation .control-value', { hasText: /^1$/ }).waitFor();
  expect(await toggle.getAttribute('aria-pressed')).toBe('true');
  const { rows } = await page.evaluate<{ rows: [string][] }>(
    `fetch('/api/boards/heliograph-service-latency/annotations/Deploys?var-service=checkout&from=now-1h&to=now').then((answer) => answer.json())`,
  );
  const over = await page.locator('[data-panel="7"] .u-over').boundingBox();
  if (over === null) throw new Error('no chart');
  const age = (Date.now() - Date.parse(rows[0]?.[0] ?? '')) / 3_600_000;
  const tip = page.locator('[data-panel="7"] .tooltip-mark');
  const point = () => page.mouse.move(over.x + over.width * (1 - age), over.y + 60);
  await point();
  expect(await tip.textContent()).toMatch(/^checkout 1\.42\.0\d{4}-/);
  await screenshot(page, 'deploy-mark');
  await toggle.click();
  expect(await toggle.getAttribute('aria-pressed')).toBe('false');
  await point();
  expect(await tip.count()).toBe(0);
  // The choice goes along to the next board.
  await page.getByRole('link', { name: 'Runtime' }).click();
  await page.waitForURL(/heliograph-runtime/);
  await settled(page);
  expect(await toggle.getAttribute('aria-pressed')).toBe('false');
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a service is followed from its latency to its goroutines to their flame graph and back', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}${SERVICE}?var-service=checkout&from=now-30m&to=now`);
  await settled(page);
  await page.getByRole('link', { name: 'Runtime' }).click();
  await page.waitForURL(/heliograph-runtime\?from=now-30m&to=now&var-service=checkout/);
  await settled(page);
  expect(await page.locator('[data-panel="2"] .stat-value').textContent()).toBe('1');
  expect(await page.locator('[data-panel="17"] tbody tr').first().textContent()).toMatch(/^checkout-canary.*failed/);
  // Other stacks of the demo may rise by chance; the leak grows most and stands first.
  await page.locator('[data-panel="9"]').getByRole('link').first().click();
  await page.waitForURL(/heliograph-flamegraph.*var-target=checkout-2&var-profile=goroutine/);
  expect(Object.values(await settled(page))).not.toContain('failed');
  expect(new URL(page.url()).searchParams.get('from')).toBe('now-30m');
  expect(await page.locator('.flame-top tbody').textContent()).toContain('notify.(*Webhook).Send.func1');
  await page.getByRole('link', { name: 'Latency' }).click();
  await page.waitForURL(/heliograph-service-latency\?from=now-30m&to=now&var-service=checkout/);
  expect(errors).toEqual([]);
  await page.context().close();
});

test('a hidden part of a stack leaves the chart, and prose is text', async () => {
  const { page, errors } = await openPage(browser);
  await page.goto(`${origin}/d/heliograph-contributors`);
  await settled(page);
  /** Pixels of the merges' colour in the chart. */
  const painted = () =>
    page.evaluate<number>(`(() => {
      const panel = document.querySelector('[data-panel="9"]');
      const color = getComputedStyle(panel.querySelector('[title=merges] .swatch')).backgroundColor.match(/\\d+/g);
      const canvas = panel.querySelector('canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4)
        if (color.every((part, index) => data[at + index] === Number(part))) count += 1;
      return count;
    })()`);
  expect(await painted()).toBeGreaterThan(200);
  const merges = page.locator('[data-panel="9"]').getByRole('button', { name: 'merges', exact: true });
  await merges.click();
  expect(await merges.getAttribute('aria-pressed')).toBe('false');
  expect(await painted()).toBe(0);
  await merges.click();
  expect(await painted()).toBeGreaterThan(200);
  const prose = page.locator('[data-panel="13"] .prose');
  expect(await prose.locator('strong').first().textContent()).toBe('No ranking.');
  expect(await prose.locator('li').count()).toBe(4);
  expect(await prose.locator('pre').textContent()).toContain('git log --no-merges');
  expect(await page.locator('[data-panel="8"] .legend').textContent()).toMatch(/shop\/mailer––/);
  // Three people are never counted in the open: the board says so, and shows no zero.
  await page.goto(`${origin}/d/heliograph-contributors?var-repository=shop/mailer`);
  const states = await settled(page);
  expect([states['2'], states['7'], states['8']]).toEqual(['empty', 'drawn', 'empty']);
  expect(await page.locator('[data-panel="8"] .panel-message').textContent()).toContain('fewer than the floor');
  expect(errors).toEqual([]);
  await page.context().close();
});

// The last two take the store and the server away for good.
test('without a store every panel says so and can be retried, and what was drawn is not passed off as new', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}?refresh=`);
  await settled(page);
  await server.engine.stop();
  await page.keyboard.press('r');
  await page.getByRole('alert').filter({ hasText: 'No panel could be loaded' }).waitFor();
  const states = await settled(page);
  expect(new Set(Object.values(states))).toEqual(new Set(['failed']));
  expect(await page.getByRole('button', { name: 'Retry' }).count()).toBe(14);
  expect(await page.locator('.panel[data-stale]').count()).toBe(14);
  await screenshot(page, 'store-down');
  await page.keyboard.press('-');
  await page.waitForURL(/from=\d{13}/);
  await settled(page);
  expect(await page.locator('.panel[data-stale]').count()).toBe(0);
  await Promise.all([
    page.waitForResponse((response) => response.url().includes('/panels/7?')),
    page.locator('[data-panel="7"]').getByRole('button', { name: 'Retry' }).click(),
  ]);
  await screenshot(page, 'store-down-elsewhere');
  await page.context().close();
});

test('without Heliograph the page says that it is down', async () => {
  const { page } = await openPage(browser);
  await page.goto(`${origin}${OVERVIEW}`);
  await settled(page);
  await server.app.close();
  await page.keyboard.press('r');
  await page.getByRole('alert').filter({ hasText: 'Heliograph is down or out of reach' }).waitFor();
  await screenshot(page, 'down');
  await page.context().close();
});
