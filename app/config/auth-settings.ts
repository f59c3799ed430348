/** The settings of who may write, how much, and under which TLS. */
import Type from 'typebox';
import type { CertificateRule } from '../../ingest/auth/certificates.ts';
import { duration, list, NAME_FIELD } from './leaf.ts';

const path = (description: string, example: string) =>
  Type.Optional(
    Type.String({ description, unit: 'path', examples: [example], minLength: 1, rule: 'a path of a readable file' }),
  );
const text = (description: string, example: string) =>
  Type.Optional(
    Type.String({
      description,
      unit: 'text',
      examples: [example],
      pattern: '^[\\x21-\\x7e]+$',
      rule: 'printable ASCII without spaces',
    }),
  );
const url = (description: string, example: string, pattern: string, rule: string) =>
  Type.Optional(
    Type.String({ description, unit: 'URL', examples: [example], pattern, rule, secret: 'password of the URL' }),
  );
const perSecond = (description: string, unit: string) =>
  Type.Integer({ description, unit, default: 0, examples: [50_000], minimum: 0, maximum: 1_000_000_000_000 });
const RATE_FIELD = { type: 'integer', minimum: 1, maximum: 1_000_000_000_000, optional: true } as const;

export const AUTH_SETTINGS = Type.Object({
  keysFile: path(
    'File of the API keys of teams, by their hashes; `heliograph keys new` adds one. It is read again when it changes. With it, the OTLP doors ask for a key (or the token).',
    './keys',
  ),
  jwt: Type.Object({
    issuer: text(
      'Claim iss that a token must have. With it, the OTLP doors take tokens of that issuer.',
      'https://id.example.com',
    ),
    audience: text('Claim aud that a token must have.', 'heliograph'),
    jwksUrl: url(
      'Where the issuer publishes its keys. Read again every 5 minutes, and when a token names an unknown key. Redirects are not followed.',
      'https://id.example.com/.well-known/jwks.json',
      '^https://[^\\s/]+|^http://(127\\.|localhost|\\[::1\\])',
      'an https:// URL, or http:// on loopback',
    ),
    jwksFile: path(
      'File with the keys of the issuer, in the place of jwksUrl; read again when it changes.',
      './jwks.json',
    ),
    algorithms: Type.String({
      description: 'Signature algorithms that are taken, separated by commas.',
      unit: 'list',
      default: 'EdDSA,ES256,RS256',
      examples: ['ES256'],
      pattern: '^(EdDSA|Ed25519|(ES|RS|PS)(256|384|512))(,(EdDSA|Ed25519|(ES|RS|PS)(256|384|512)))*$',
      rule: 'some of EdDSA, Ed25519, ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384, PS512, separated by commas',
    }),
    teamClaim: Type.String({
      description: 'Claim that names the team.',
      unit: 'text',
      default: 'team',
      examples: ['https://example.com/team'],
      pattern: '^[\\x21-\\x7e]+$',
      rule: 'printable ASCII without spaces',
    }),
    clockTolerance: duration('How far the clock of the issuer may be off.', '30s', '5s', '1ms', '10m'),
    maxAge: duration('How old a token may be, by its claim iat, whatever its exp says.', '1h', '15m', '10s', '30d'),
    bound: Type.Boolean({
      description: 'Whether a token must be bound to the client certificate (cnf x5t#S256). Needs tls.clientCaFile.',
      unit: 'true or false',
      default: false,
      examples: [true],
    }),
  }),
  certificates: list<CertificateRule>(
    'Which client certificates may write, by a name in them; the first that matches counts, and what matches none is refused. Needs tls.clientCaFile.',
    {
      san: {
        type: 'string',
        pattern: '^[\\x21-\\x7e]{1,255}$',
        rule: 'a URI or DNS name, with * for any path or one label',
        description: 'A URI (SPIFFE) or DNS name of the certificate.',
      },
      team: { ...NAME_FIELD, description: 'Team of what it sends.' },
      spansPerSecond: { ...RATE_FIELD, description: 'In the place of budgets.spansPerSecond.' },
      bytesPerSecond: { ...RATE_FIELD, description: 'In the place of budgets.bytesPerSecond.' },
    },
    '[{ san: "spiffe://prod/*", team: shop }]',
  ),
});

export const TLS_SETTINGS = Type.Object({
  certFile: path(
    'Certificate of the OTLP doors with its chain, PEM. With it they speak TLS alone. Read again when it changes.',
    './tls/server.crt',
  ),
  keyFile: path('Key of that certificate, PEM.', './tls/server.key'),
  clientCaFile: path(
    'Certificates of the authorities (intermediates too) whose client certificates are taken, PEM. With it every sender must show one.',
    './tls/clients-ca.crt',
  ),
  crlFile: path(
    'Revocation lists of those authorities, PEM or DER; looked into for every call. Read again when it changes.',
    './tls/clients.crl',
  ),
  ocsp: Type.Enum(['off', 'soft', 'hard'], {
    description:
      'Whether the issuer of a client certificate is asked for its status. soft: what cannot be known passes; hard: it does not.',
    unit: 'policy',
    default: 'off',
    examples: ['soft'],
  }),
  ocspUrl: url(
    'Responder that is asked in the place of the one that the certificate names.',
    'http://127.0.0.1:8888',
    '^https?://[^\\s/]+',
    'an http:// or https:// URL',
  ),
  minVersion: Type.Enum(['TLSv1.2', 'TLSv1.3'], {
    description: 'Oldest version of TLS that is spoken.',
    unit: 'version',
    default: 'TLSv1.2',
    examples: ['TLSv1.3'],
  }),
  maxConnectionAge: duration(
    'A connection older than this is closed after the call under way.',
    '1h',
    '10m',
    '1s',
    '30d',
  ),
});

export const BUDGET_SETTINGS = Type.Object({
  routes: Type.Integer({
    description:
      'Distinct routes a day that each service of a team may have in the rollup; what comes beyond is counted as (other).',
    unit: 'routes',
    default: 2000,
    examples: [500],
    minimum: 1,
    maximum: 1_000_000,
  }),
  spansPerSecond: perSecond(
    'Spans a second that a key may send unless it has a rate of its own; 0 is no limit.',
    'spans/s',
  ),
  bytesPerSecond: perSecond(
    'Bytes a second, decompressed, that a key may send unless it has a rate of its own; 0 is no limit.',
    'bytes/s',
  ),
});
