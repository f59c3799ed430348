/** Who may write, composed from the settings: what the doors admit by, the TLS they speak and the files both live on. */
import { randomBytes } from 'node:crypto';
import type { FastifyServerFactory } from 'fastify';
import { HeliographError } from '../core/errors.ts';
import type { Clock, Log } from '../core/ports.ts';
import { type Admission, admitByToken } from '../ingest/auth/admission.ts';
import { createAdmission } from '../ingest/auth/admit.ts';
import { type CertificateCheck, createCertificateCheck } from '../ingest/auth/certificates.ts';
import { fetchBytes } from '../ingest/auth/fetch.ts';
import { keysFromFile, keysFromUrl } from '../ingest/auth/jwks.ts';
import { createJwtCheck, type JwtCheck } from '../ingest/auth/jwt.ts';
import { createKeyRing, type KeyRing, parseKeys } from '../ingest/auth/keys.ts';
import { createOcspCheck } from '../ingest/auth/ocsp.ts';
import { createRateBudgets } from '../ingest/auth/rate.ts';
import { createTlsServer, openTlsMaterial, type TlsMaterial } from '../ingest/auth/tls.ts';
import { type Watched, watchFiles } from '../ingest/auth/watched.ts';
import { type Auth, createAuth } from '../ingest/auth/token.ts';
import type { DoorLedger } from '../ingest/doors/ledger.ts';
import type { Config } from './config/schema.ts';
import type { Task } from './scheduler/task.ts';

export interface Access {
  /** Of the OTLP doors. */
  admission: Admission;
  /** Counts what was taken, also against the budget of its sender. */
  ledger: DoorLedger;
  /** Undefined where the doors speak plain text. */
  tls: { material: TlsMaterial; createServer: FastifyServerFactory; maxConnectionAgeMs: number } | undefined;
  /** Where senders need more than the token: what lets Heliograph's own spans in by a door of their own, on loopback. */
  self: { admission: Admission; token: string } | undefined;
  jobs: Task[];
}

const REFRESH_MS = 2000;

/** Reads the files. Throws `bad_config` where one that is named cannot be used. */
export async function openAccess(
  config: Config,
  auth: Auth,
  ledger: DoorLedger,
  clock: Clock,
  log: Log,
): Promise<Access> {
  const { keysFile, certificates: rules } = config.auth;
  const material = await openTls(config, clock, log);
  const certificates = material?.asksClients === true ? checkOf(config, material, clock, log) : undefined;
  material?.onChange(() => certificates?.reset());
  const keys = keysFile === undefined ? undefined : await openKeys(keysFile, clock, log);
  const jwt = openJwt(config, clock, log);
  const budgets = createRateBudgets(clock);
  const { spansPerSecond, bytesPerSecond } = config.budgets;
  const defaultRate = { spans: spansPerSecond, bytes: bytesPerSecond };
  const isPlain = material === undefined && keys === undefined && jwt === undefined && rules.length === 0;
  const selfToken = randomBytes(32).toString('base64url');
  return {
    admission: createAdmission({ auth, keys, jwt, certificates, budgets, defaultRate, clock }),
    ledger: {
      ...ledger,
      accepted(acceptance) {
        ledger.accepted(acceptance);
        if (!acceptance.duplicate) budgets.charge(acceptance.sender, acceptance.spans, acceptance.bytes);
      },
    },
    tls: material === undefined ? undefined : tlsOf(config, material, ledger, clock),
    self: isPlain ? undefined : { admission: admitByToken(createAuth(selfToken)), token: selfToken },
    jobs: material === undefined ? [] : [refreshTask(material)],
  };
}

/** New connections see new files though nobody calls. */
function refreshTask(material: TlsMaterial): Task {
  return {
    id: 'tls-files',
    initialDelayMs: REFRESH_MS,
    intervalMs: REFRESH_MS,
    timeoutMs: 10_000,
    overlap: 'skip',
    run: () => material.refresh(),
  };
}

function tlsOf(config: Config, material: TlsMaterial, ledger: DoorLedger, clock: Clock): Access['tls'] {
  const maxConnectionAgeMs = config.tls.maxConnectionAge;
  return {
    material,
    createServer: createTlsServer(material, { maxConnectionAgeMs, ledger, clock }),
    maxConnectionAgeMs,
  };
}

async function openTls({ tls }: Config, clock: Clock, log: Log): Promise<TlsMaterial | undefined> {
  const { certFile, keyFile, clientCaFile, crlFile, minVersion } = tls;
  if (certFile === undefined || keyFile === undefined) return undefined;
  try {
    return await openTlsMaterial({ certFile, keyFile, clientCaFile, crlFile, minVersion }, clock, log);
  } catch (error) {
    throw new HeliographError('bad_config', (error as Error).message, { cause: error });
  }
}

function checkOf(config: Config, material: TlsMaterial, clock: Clock, log: Log): CertificateCheck {
  const { ocsp: policy, ocspUrl: url } = config.tls;
  const nonce = (): Buffer => randomBytes(16);
  const ocsp = policy === 'off' ? undefined : createOcspCheck({ policy, url, fetch: fetchBytes, nonce, clock, log });
  const { authorities, revocations } = material;
  return createCertificateCheck({ rules: config.auth.certificates, authorities, revocations, ocsp, clock });
}

async function openKeys(path: string, clock: Clock, log: Log): Promise<Watched<KeyRing>> {
  const read = ([text]: readonly Buffer[]): KeyRing => createKeyRing(parseKeys((text ?? '').toString()));
  const keys = watchFiles({ what: 'API keys', paths: [path], read, clock, log });
  if ((await keys.fresh()) === undefined)
    throw new HeliographError('bad_config', 'auth.keysFile cannot be used; the log says why');
  return keys;
}

function openJwt({ auth }: Config, clock: Clock, log: Log): JwtCheck | undefined {
  const { issuer, audience, jwksUrl, jwksFile, algorithms, teamClaim, clockTolerance, maxAge, bound } = auth.jwt;
  if (issuer === undefined || audience === undefined) return undefined;
  const source =
    jwksFile === undefined ? keysFromUrl(jwksUrl ?? '', fetchBytes, clock, log) : keysFromFile(jwksFile, clock, log);
  return createJwtCheck(
    {
      issuer,
      audience,
      algorithms: algorithms.split(','),
      teamClaim,
      clockToleranceMs: clockTolerance,
      maxAgeMs: maxAge,
      bound,
    },
    source,
    clock,
  );
}
