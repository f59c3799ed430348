// Whether a URL answers with a success within three seconds: `node scripts/healthcheck.mjs http://127.0.0.1:7070/healthz`.
// For containers, whose slim images have neither curl nor wget.
const LIMIT_MS = 3000;

const [url = ''] = process.argv.slice(2);
try {
  const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
  if (!ok) console.error(`${url} answered ${status}`);
  process.exitCode = ok ? 0 : 1;
} catch (error) {
  console.error(`${url}: ${error.cause?.code ?? error.message}`);
  process.exitCode = 1;
}
