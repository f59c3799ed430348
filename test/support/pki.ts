/** Certificates as a team's own authority makes them: everything here is done by the openssl command. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Leaf {
  certFile: string;
  keyFile: string;
  cert: Buffer;
  key: Buffer;
}

export interface LeafOptions {
  /** As openssl writes them: `URI:spiffe://prod/cart`, `DNS:localhost,IP:127.0.0.1`. */
  san?: string;
  usage?: 'clientAuth' | 'serverAuth' | 'OCSPSigning';
  /** Days from now; a leaf of the past has both below 0. */
  fromDays?: number;
  toDays?: number;
  ocspUrl?: string;
}

export interface Authority {
  /** Its own certificate, PEM. */
  certFile: string;
  indexFile: string;
  leaf(name: string, options?: LeafOptions): Leaf;
  intermediate(name: string): Authority;
  revoke(leaf: Leaf): void;
  /** Writes its revocation list and returns the path. */
  crl(): string;
}

const run = (cwd: string, ...args: string[]): void => void execFileSync('openssl', args, { cwd, stdio: 'pipe' });
const stamp = (days: number): string =>
  `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;

function newKey(dir: string, name: string): string {
  const path = join(dir, `${name}.key`);
  run(dir, 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path);
  return path;
}

/** A client's certificate that nobody but itself stands behind. */
export function selfSigned(dir: string, san: string): Leaf {
  const keyFile = newKey(dir, 'self');
  const certFile = join(dir, 'self.crt');
  const extensions = ['basicConstraints=CA:false', 'extendedKeyUsage=clientAuth', `subjectAltName=${san}`];
  const flags = extensions.flatMap((extension) => ['-addext', extension]);
  run(dir, 'req', '-x509', '-new', '-key', keyFile, '-out', certFile, '-days', '7', '-subj', '/CN=self', ...flags);
  return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

/** A new root in `dir/name`. */
export function createAuthority(dir: string, name = 'root'): Authority {
  const home = join(dir, name);
  mkdirSync(home, { recursive: true });
  newKey(home, 'ca');
  const extensions = [
    '-addext',
    'basicConstraints=critical,CA:true',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ];
  run(
    home,
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    ...extensions,
  );
  return openAuthority(home);
}

function openAuthority(home: string): Authority {
  writeFileSync(join(home, 'index.txt'), '');
  writeFileSync(join(home, 'serial'), '01\n');
  writeFileSync(join(home, 'crlnumber'), '01\n');
  mkdirSync(join(home, 'issued'), { recursive: true });
  writeFileSync(
    join(home, 'ca.cnf'),
    [
      '[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nnew_certs_dir=issued\nserial=serial\ncrlnumber=crlnumber',
      'certificate=ca.crt\nprivate_key=ca.key\ndefault_md=sha256\npolicy=any\nunique_subject=no\ndefault_crl_days=7',
      '[any]\ncommonName=supplied\n',
    ].join('\n'),
  );
  const sign = (name: string, extensions: string[], fromDays: number, toDays: number): Leaf => {
    const keyFile = newKey(home, name);
    const certFile = join(home, `${name}.crt`);
    writeFileSync(join(home, `${name}.ext`), `${extensions.join('\n')}\n`);
    run(home, 'req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    const dates = ['-startdate', stamp(fromDays), '-enddate', stamp(toDays)];
    run(
      home,
      'ca',
      '-batch',
      '-notext',
      '-config',
      'ca.cnf',
      ...dates,
      '-extfile',
      `${name}.ext`,
      '-in',
      `${name}.csr`,
      '-out',
      certFile,
    );
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  };
  return {
    certFile: join(home, 'ca.crt'),
    indexFile: join(home, 'index.txt'),
    leaf: (name, { san = '', usage = 'clientAuth', fromDays = -1, toDays = 7, ocspUrl = '' } = {}) =>
      sign(
        name,
        [
          `extendedKeyUsage=${usage}`,
          ...(san === '' ? [] : [`subjectAltName=${san}`]),
          ...(ocspUrl === '' ? [] : [`authorityInfoAccess=OCSP;URI:${ocspUrl}`]),
        ],
        fromDays,
        toDays,
      ),
    intermediate(name) {
      const { certFile, keyFile } = sign(
        name,
        ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign'],
        -1,
        20,
      );
      const below = join(home, `${name}-home`);
      mkdirSync(below);
      writeFileSync(join(below, 'ca.crt'), readFileSync(certFile));
      writeFileSync(join(below, 'ca.key'), readFileSync(keyFile));
      return openAuthority(below);
    },
    revoke: ({ certFile }) => run(home, 'ca', '-config', 'ca.cnf', '-revoke', certFile),
    crl() {
      run(home, 'ca', '-config', 'ca.cnf', '-gencrl', '-out', 'ca.crl');
      return join(home, 'ca.crl');
    },
  };
}
