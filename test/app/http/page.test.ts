import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pageWeight, registerPage } from '../../../app/http/page.ts';
import { sendError } from '../../../app/http/server.ts';
import { builtPath } from '../../../core/paths.ts';
import { quietLog } from '../../support/quiet-log.ts';

let app: FastifyInstance;
beforeAll(() => {
  app = fastify();
  app.setErrorHandler((error, request, reply) => sendError(quietLog, error, request, reply));
  registerPage(app);
});
afterAll(() => app.close());

const assetsOf = (html: string) => [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');

test('the first page is the overview', async () => {
  const answer = await app.inject('/');
  expect([answer.statusCode, answer.headers.location]).toEqual([302, '/d/heliograph-overview']);
});

test('the shell allows scripts and styles of this origin alone, and has none inline', async () => {
  const { headers, body } = await app.inject('/d/heliograph-overview?from=now-1h');
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|data:|https?:|\*/);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=/);
});

test('every asset the shell names is there, compressed, typed and kept for good', async () => {
  const { body } = await app.inject('/d/heliograph-overview');
  const assets = assetsOf(body);
  expect(assets.length).toBeGreaterThan(20);
  for (const url of assets) {
    const packed = await app.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    expect(packed.statusCode, url).toBe(200);
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'x-content-type-options': 'nosniff' });
    expect(packed.headers['cache-control']).toContain('immutable');
    expect(packed.headers['content-type']).toMatch(/^(?:text\/(?:javascript|css)|image\/svg\+xml)/);
    const plain = await app.inject(url);
    expect(gunzipSync(packed.rawPayload).equals(plain.rawPayload)).toBe(true);
    const again = await app.inject({ url, headers: { 'if-none-match': String(packed.headers.etag) } });
    expect(again.statusCode).toBe(304);
  }
});

test('every module imports only modules that are served', async () => {
  const { body } = await app.inject('/d/heliograph-overview');
  const modules = assetsOf(body).filter((url) => /\/(?:viewer|shared)\//.test(url));
  for (const url of modules) {
    const source = (await app.inject(url)).body;
    for (const [, specifier] of source.matchAll(/from '([^']+)'/g)) {
      expect(modules).toContain(new URL(specifier ?? '', `http://x${url}`).pathname);
    }
  }
  expect(modules.some((url) => url.endsWith('/viewer/page/main.js'))).toBe(true);
});

test('an unknown or outdated asset is 404, and no path leaves the folder', async () => {
  const [first = ''] = assetsOf((await app.inject('/d/x')).body);
  const version = first.split('/')[2] ?? '';
  for (const url of [
    '/assets/0123456789abcdef/page.css',
    `/assets/${version}/nope.js`,
    `/assets/${version}/..%2f..%2fpackage.json`,
    `/assets/${version}/constructor`,
  ]) {
    expect((await app.inject(url)).statusCode, url).toBe(404);
  }
});

test('the chosen theme is in the first bytes, and nothing else of the cookie is', async () => {
  const themed = async (cookie: string) => (await app.inject({ url: '/d/x', headers: { cookie } })).body.split('\n')[1];
  expect(await themed('a=b; heliograph_theme=dark')).toBe('<html lang="en" data-theme="dark">');
  expect(await themed('heliograph_theme=light')).toBe('<html lang="en" data-theme="light">');
  expect(await themed('heliograph_theme="><script>')).toBe('<html lang="en">');
});

test('an unchanged shell is not sent twice', async () => {
  const first = await app.inject('/d/x');
  const again = await app.inject({ url: '/d/x', headers: { 'if-none-match': String(first.headers.etag) } });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

test('the page weighs at most 90 KB gzipped, chart library included', () => {
  const bytes = pageWeight();
  expect(bytes).toBeGreaterThan(20_000);
  expect(bytes).toBeLessThanOrEqual(90_000);
});

test('no module of the page parses HTML or runs text as code', () => {
  const main = readFileSync(builtPath('dashboards/viewer/page/main.ts'), 'utf8');
  const modules = [...main.matchAll(/from '\.\/([^']+)\.js'/g)].map((match) => match[1] ?? '');
  for (const name of ['main', ...modules]) {
    const source = readFileSync(builtPath(`dashboards/viewer/page/${name}.ts`), 'utf8');
    expect(source).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  }
});
