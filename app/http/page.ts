/** The built-in page: one HTML shell and its assets, everything from this origin and nothing inline. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HeliographError } from '../../core/errors.ts';
import { assetPath, builtPath } from '../../core/paths.ts';

const FIRST_BOARD = '/d/heliograph-overview';

/** Compiled folders the page's modules lie in, below dist/dashboards. */
const MODULE_FOLDERS = ['viewer/page', 'shared'] as const;

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

interface Asset {
  type: string;
  plain: Buffer;
  gzip: Buffer;
}

/**
 * Adds `/`, `/d/:uid` and `/assets/<version>/…`. Assets are read now and served from memory under a name that changes with
 * any of them, so browsers keep them for good. Throws when the page has not been built.
 */
export function registerPage(app: FastifyInstance): void {
  const assets = readAssets();
  const version = versionOf(assets);
  const shell = readFileSync(assetPath('dashboards/viewer/page.html'), 'utf8')
    .replaceAll('{{assets}}', `/assets/${version}`)
    .replace('{{preload}}', preloads(assets, version));

  app.get('/', async (_request, reply) => reply.redirect(FIRST_BOARD, 302));
  for (const path of ['/d/:uid', '/d/:uid/:slug']) {
    app.get(path, async (request, reply) => {
      const html = shell.replace('{{theme}}', themeAttribute(request.headers.cookie));
      const etag = `"${digest(html)}"`;
      reply.headers(SECURITY_HEADERS).header('cache-control', 'no-cache').header('vary', 'cookie').header('etag', etag);
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type('text/html; charset=utf-8').send(html);
    });
  }
  app.get<{ Params: { version: string; '*': string } }>('/assets/:version/*', async (request, reply) => {
    const asset = request.params.version === version ? assets.get(request.params['*']) : undefined;
    if (asset === undefined) throw new HeliographError('not_found', 'there is no such asset; reload the page');
    return sendAsset(asset, `"${version}"`, request, reply);
  });
}

/** Bytes of all assets as they travel, gzipped. */
export function pageWeight(): number {
  return [...readAssets().values()].reduce((sum, asset) => sum + asset.gzip.length, 0);
}

function sendAsset(asset: Asset, etag: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(SECURITY_HEADERS).header('cache-control', 'private, max-age=31536000, immutable').header('etag', etag);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  reply.type(asset.type).header('vary', 'accept-encoding');
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(asset.plain);
  return reply.header('content-encoding', 'gzip').send(asset.gzip);
}

function readAssets(): Map<string, Asset> {
  const uplot = `${dirname(createRequire(import.meta.url).resolve('uplot/package.json'))}/dist`;
  const files: [string, string][] = [
    ['page.css', assetPath('dashboards/viewer/page.css')],
    ['icon.svg', assetPath('dashboards/viewer/icon.svg')],
    ['locale.js', assetPath('dashboards/viewer/locale.js')],
    ['uplot.js', `${uplot}/uPlot.iife.min.js`],
    ['uplot.css', `${uplot}/uPlot.min.css`],
    ...MODULE_FOLDERS.flatMap(moduleFiles),
  ];
  return new Map(files.map(([name, path]) => [name, assetOf(name, path)]));
}

function moduleFiles(folder: string): [string, string][] {
  const directory = builtPath(`dashboards/${folder}`);
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (cause) {
    throw new HeliographError('internal', 'the page is not built: run npm run build', { cause });
  }
  return names
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => [`${folder}/${name}`, `${directory}/${name}`]);
}

function assetOf(name: string, path: string): Asset {
  // A map beside the module would be a request for a file that is not served.
  const plain = Buffer.from(readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  return {
    type: TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    plain,
    gzip: gzipSync(plain, { level: 9 }),
  };
}

function versionOf(assets: ReadonlyMap<string, Asset>): string {
  return digest([...assets].map(([name, { plain }]) => `${name} ${digest(plain)}`).join('\n'));
}

function digest(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** Modules import one another four deep; named up front, they are fetched at once. */
function preloads(assets: ReadonlyMap<string, Asset>, version: string): string {
  return [...assets.keys()]
    .filter((name) => name.includes('/'))
    .map((name) => `<link rel="modulepreload" href="/assets/${version}/${name}">`)
    .join('\n');
}

function themeAttribute(cookie: string | undefined): string {
  const theme = /(?:^|;\s*)heliograph_theme=(light|dark)(?:;|$)/.exec(cookie ?? '')?.[1];
  return theme === undefined ? '' : ` data-theme="${theme}"`;
}
