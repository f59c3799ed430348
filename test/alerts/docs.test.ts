/** docs/ALERTS.md shows how to verify a signature: what it shows is run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signatureOf } from '../../alerts/webhook.ts';
import { assetPath } from '../../core/paths.ts';
import { peerTest } from '../support/peers.ts';

const page = readFileSync(assetPath('docs/ALERTS.md'), 'utf8');
const BODY = '{"status":"firing","é":1}';
const HEADER = signatureOf(Buffer.from('key'), Buffer.from(BODY));

function block(language: string): string {
  const text = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (text === undefined) throw new Error(`no ${language} in docs/ALERTS.md`);
  return text;
}

test('in Node', async () => {
  const url = `data:text/javascript,${encodeURIComponent(block('js'))}`;
  const { isFromHeliograph } = (await import(/* @vite-ignore */ url)) as {
    isFromHeliograph(secret: string, rawBody: string, header: string | undefined): boolean;
  };
  expect(isFromHeliograph('key', BODY, HEADER)).toBe(true);
  expect(isFromHeliograph('other', BODY, HEADER)).toBe(false);
  expect(isFromHeliograph('key', `${BODY} `, HEADER)).toBe(false);
  expect(isFromHeliograph('key', BODY, undefined)).toBe(false);
});

peerTest('go', 'in Go', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'heliograph-go-'));
  writeFileSync(join(dir, 'go.mod'), 'module heliograph\n');
  writeFileSync(join(dir, 'verify.go'), block('go'));
  writeFileSync(
    join(dir, 'verify_test.go'),
    `package heliograph

import "testing"

func TestVerify(t *testing.T) {
	body, header := []byte(${JSON.stringify(BODY)}), ${JSON.stringify(HEADER)}
	if !IsFromHeliograph([]byte("key"), body, header) {
		t.Fatal("refused what is genuine")
	}
	if IsFromHeliograph([]byte("other"), body, header) || IsFromHeliograph([]byte("key"), append(body, ' '), header) || IsFromHeliograph([]byte("key"), body, "") {
		t.Fatal("took what is not")
	}
}
`,
  );
  const { status, stdout, stderr } = spawnSync('go', ['test', './...'], { cwd: dir, encoding: 'utf8' });
  rmSync(dir, { recursive: true, force: true });
  expect(status === 0 ? '' : stdout + stderr).toBe('');
});
