/** TLS of the doors: the files it is made of, renewed while connections live, and the servers that use them. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, type DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { ServerCredentials } from '@grpc/grpc-js';
import type { Clock, Log } from '../../core/ports.ts';
import type { DoorLedger } from '../doors/ledger.ts';
import type { PeerCertificate } from './certificates.ts';
import { readRevocationLists, type RevocationList } from './crl.ts';
import { type Watched, watchFiles } from './watched.ts';
import { type CertificateFacts, readPemCertificates } from './x509.ts';

export interface TlsFiles {
  certFile: string;
  keyFile: string;
  /** With it, a client certificate is required. */
  clientCaFile: string | undefined;
  crlFile: string | undefined;
  minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** What a TLS server is made of. */
export interface SecureContext {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
  minVersion: TlsFiles['minVersion'];
}

interface Material {
  context: SecureContext;
  authorities: readonly CertificateFacts[];
}

export interface TlsMaterial {
  context(): SecureContext;
  authorities(): readonly CertificateFacts[];
  revocations(): RevocationList | undefined;
  /** Whether clients must show a certificate. */
  asksClients: boolean;
  /** Looks at the files. */
  refresh(): Promise<void>;
  /** Told of every new context. */
  onChange(listener: (context: SecureContext) => void): void;
}

/** Reads the files. Throws what is wrong with them: a door that cannot prove who it is does not open. */
export async function openTlsMaterial(files: TlsFiles, clock: Clock, log: Log): Promise<TlsMaterial> {
  const { certFile, keyFile, clientCaFile, crlFile, minVersion } = files;
  const listeners: ((context: SecureContext) => void)[] = [];
  const tell = ({ context }: Material): void => {
    for (const listener of listeners) listener(context);
  };
  const certificates = watchFiles({
    what: 'TLS certificates',
    paths: [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])],
    read: (texts) => readMaterial(texts, minVersion),
    onChange: tell,
    clock,
    log,
  });
  const first = await certificates.fresh();
  if (first === undefined)
    throw new Error('tls.certFile, tls.keyFile or tls.clientCaFile cannot be used; the log says why');
  const current = (): Material => certificates.current() ?? first;
  let staleWarned: RevocationList | undefined;
  const warnStale = (list: RevocationList): void => {
    if (list.nextUpdateMs >= clock.nowMs() || staleWarned === list) return;
    staleWarned = list;
    const dueAt = new Date(list.nextUpdateMs).toISOString();
    log.error(
      { path: crlFile, dueAt },
      'revocation list is out of date: what it revokes stays refused, fetch a new one',
    );
  };
  const lists = crlFile === undefined ? undefined : watchRevocations(crlFile, () => current().authorities, clock, log);
  if (lists !== undefined && (await lists.fresh()) === undefined)
    throw new Error('tls.crlFile cannot be used; the log says why');
  return {
    context: () => current().context,
    authorities: () => current().authorities,
    revocations: () => lists?.current(),
    asksClients: clientCaFile !== undefined,
    onChange: (listener) => void listeners.push(listener),
    async refresh() {
      await certificates.fresh();
      const list = await lists?.fresh();
      if (list !== undefined) warnStale(list);
    },
  };
}

function watchRevocations(
  path: string,
  authorities: () => readonly CertificateFacts[],
  clock: Clock,
  log: Log,
): Watched<RevocationList> {
  const read = ([bytes]: readonly Buffer[]): RevocationList =>
    readRevocationLists(bytes ?? Buffer.alloc(0), authorities());
  return watchFiles({ what: 'revocation list', paths: [path], read, clock, log });
}

function readMaterial([cert, key, ca]: readonly Buffer[], minVersion: TlsFiles['minVersion']): Material {
  if (cert === undefined || key === undefined) throw new Error('certificate or key is missing');
  const context: SecureContext = { cert, key, minVersion, ...(ca === undefined ? {} : { ca }) };
  createSecureContext(context); // throws where the key does not fit, so that a half-written pair is never served
  return { context, authorities: ca === undefined ? [] : readPemCertificates(ca.toString('latin1')) };
}

/** An HTTPS server for a door, in the place of its HTTP one. Handshakes that fail are counted with their reason. */
export function createTlsServer(
  material: TlsMaterial,
  options: { maxConnectionAgeMs: number; ledger: DoorLedger; clock: Clock },
): (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server {
  const { maxConnectionAgeMs, ledger, clock } = options;
  return (handler) => {
    const begunMs = new WeakMap<Socket, number>();
    const asks = material.asksClients;
    const server = createServer({ ...material.context(), requestCert: asks, rejectUnauthorized: asks });
    material.onChange((context) => server.setSecureContext(context));
    server.on('secureConnection', (socket) => begunMs.set(socket, clock.monotonicMs()));
    server.on('tlsClientError', (error, socket) => countHandshake(error, socket, ledger));
    server.on('request', (request, response) => {
      const begun = begunMs.get(request.socket) ?? clock.monotonicMs();
      if (clock.monotonicMs() - begun > maxConnectionAgeMs) response.setHeader('connection', 'close');
    });
    server.on('request', handler);
    return server as unknown as Server;
  };
}

/** Reasons that a person can act on, by OpenSSL's names; any other handshake is `tls_handshake`. */
const HANDSHAKES: Readonly<Record<string, string>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'certificate_missing',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_version',
  ERR_SSL_VERSION_TOO_LOW: 'tls_version',
  ERR_SSL_HTTP_REQUEST: 'http_on_tls_port',
  CERT_HAS_EXPIRED: 'certificate_expired',
  CERT_NOT_YET_VALID: 'certificate_not_yet_valid',
  INVALID_PURPOSE: 'certificate_purpose',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate_untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate_untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate_untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate_untrusted',
  CERT_SIGNATURE_FAILURE: 'certificate_untrusted',
};

function countHandshake(error: NodeJS.ErrnoException, socket: TLSSocket, ledger: DoorLedger): void {
  // Node sets the code here where the certificate was what failed; its type says Error, what it holds is the code.
  const verification = socket.authorizationError as unknown as string | null | undefined;
  const code = verification ?? error.code ?? '';
  if (code === 'ECONNRESET' || code === '') return; // the peer went away before it said anything
  ledger.refused(HANDSHAKES[code] ?? 'tls_handshake', 'The TLS handshake failed; docs/SECURITY.md has the reasons.', {
    why: code,
  });
}

const peers = new WeakMap<TLSSocket, PeerCertificate>();

/** The client certificate of a connection, worked out once for each; undefined on a plain one, or where none was shown. */
export function peerCertificate(socket: Socket): PeerCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const leaf = socket.getPeerCertificate(true) as DetailedPeerCertificate | Record<string, never>;
  if (!('raw' in leaf) || leaf.raw === undefined) return undefined;
  const issuers: Uint8Array[] = [];
  for (let at = leaf as DetailedPeerCertificate; issuers.length < 8; ) {
    const next = at.issuerCertificate as DetailedPeerCertificate | undefined;
    if (next === undefined || next.raw === undefined || next.raw.equals(at.raw)) break;
    issuers.push(next.raw);
    at = next;
  }
  const peer: PeerCertificate = { der: leaf.raw, issuers };
  peers.set(socket, peer);
  return peer;
}

/** Credentials of the gRPC door, which change with the files. Loads grpc-js. */
export async function grpcCredentials(material: TlsMaterial): Promise<ServerCredentials> {
  const { ServerCredentials: Base } = await import('@grpc/grpc-js');
  class ReloadingCredentials extends Base {
    constructor() {
      super({ requestCert: material.asksClients, rejectUnauthorized: material.asksClients }, material.context());
      material.onChange((context) => this.updateSecureContextOptions(context));
    }

    override _equals(other: ServerCredentials): boolean {
      return this === other;
    }
  }
  return new ReloadingCredentials();
}
