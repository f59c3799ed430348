/** Stacks as a Go HTTP service has them: folded, root first, `APP` standing for the service's own module. */

const SERVE =
  'net/http.(*conn).serve;net/http.serverHandler.ServeHTTP;APP/internal/web.(*Tracing).ServeHTTP;net/http.(*ServeMux).ServeHTTP';
const ROUTE = `${SERVE};APP/internal/web.(*Server).handle`;
const ORDER = `${ROUTE};APP/internal/order.(*Service).Place`;
const QUERY =
  'database/sql.(*DB).QueryContext;database/sql.(*DB).query;github.com/jackc/pgx/v5/stdlib.(*Conn).QueryContext;github.com/jackc/pgx/v5.(*Conn).Query';
const JSON_OUT = 'encoding/json.(*Encoder).Encode;encoding/json.(*encodeState).reflectValue';
const MALLOC = 'runtime.mallocgc';

/** CPU: each stack with its share, in samples of 10 ms per profile of ten seconds at full load. */
export const CPU_STACKS: readonly (readonly [folded: string, samples: number])[] = [
  [
    `${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.matchRules;regexp.(*Regexp).doExecute;regexp.(*Regexp).backtrack;regexp.(*bitState).push`,
    46,
  ],
  [
    `${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.matchRules;regexp.(*Regexp).doExecute;regexp.(*Regexp).backtrack`,
    61,
  ],
  [`${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.matchRules;regexp.(*Regexp).doExecute`, 12],
  [`${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.matchRules;strings.ToLower;${MALLOC}`, 13],
  [
    `${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.applyTaxes;math/big.(*Rat).Mul;math/big.nat.mul`,
    17,
  ],
  [
    `${ORDER};APP/internal/pricing.(*Engine).Quote;APP/internal/pricing.applyTaxes;math/big.(*Rat).SetString;math/big.nat.scan`,
    14,
  ],
  [`${ORDER};APP/internal/pricing.(*Engine).Quote`, 4],
  [
    `${ORDER};APP/internal/stock.(*Client).Reserve;google.golang.org/grpc.(*ClientConn).Invoke;google.golang.org/grpc.newClientStream;google.golang.org/grpc/internal/transport.(*http2Client).NewStream;internal/poll.(*FD).Write;syscall.write`,
    15,
  ],
  [
    `${ORDER};APP/internal/stock.(*Client).Reserve;google.golang.org/grpc.(*ClientConn).Invoke;google.golang.org/protobuf/proto.Marshal`,
    11,
  ],
  [
    `${ORDER};APP/internal/stock.(*Client).Reserve;google.golang.org/grpc.(*ClientConn).Invoke;google.golang.org/protobuf/proto.Unmarshal;${MALLOC}`,
    9,
  ],
  [
    `${ORDER};APP/internal/order.(*Repository).Insert;database/sql.(*Tx).ExecContext;github.com/jackc/pgx/v5/stdlib.(*Conn).ExecContext;github.com/jackc/pgx/v5/pgconn.(*PgConn).flushWithPotentialWriteReadDeadlock;internal/poll.(*FD).Write;syscall.write`,
    19,
  ],
  [
    `${ORDER};APP/internal/order.(*Repository).Insert;database/sql.(*Tx).ExecContext;database/sql.driverArgsConnLocked`,
    6,
  ],
  [
    `${ORDER};APP/internal/order.validate;github.com/go-playground/validator/v10.(*Validate).StructCtx;reflect.Value.Field`,
    10,
  ],
  [
    `${ROUTE};APP/internal/order.(*Service).Find;APP/internal/order.(*Repository).ByID;${QUERY};github.com/jackc/pgx/v5/pgconn.(*PgConn).peekMessage;internal/poll.(*FD).Read;syscall.read`,
    24,
  ],
  [
    `${ROUTE};APP/internal/order.(*Service).Find;APP/internal/order.(*Repository).ByID;${QUERY};github.com/jackc/pgx/v5.(*baseRows).Scan;${MALLOC}`,
    12,
  ],
  [
    `${ROUTE};APP/internal/order.(*Service).Find;APP/internal/cache.(*Cache).Get;sync.(*Mutex).Lock;sync.(*Mutex).lockSlow`,
    8,
  ],
  [`${ROUTE};APP/internal/order.(*Service).Find;APP/internal/cache.(*Cache).Get;hash/maphash.String`, 7],
  [
    `${ROUTE};APP/internal/web.writeJSON;${JSON_OUT};encoding/json.structEncoder.encode;encoding/json.stringEncoder;encoding/json.appendString`,
    27,
  ],
  [
    `${ROUTE};APP/internal/web.writeJSON;${JSON_OUT};encoding/json.structEncoder.encode;encoding/json.sliceEncoder.encode;encoding/json.arrayEncoder.encode;encoding/json.structEncoder.encode;encoding/json.floatEncoder.encode;strconv.AppendFloat`,
    16,
  ],
  [
    `${ROUTE};APP/internal/web.writeJSON;${JSON_OUT};encoding/json.structEncoder.encode;${MALLOC};runtime.mallocgcSmallScanNoHeader`,
    9,
  ],
  [
    `${ROUTE};APP/internal/web.writeJSON;net/http.(*response).Write;bufio.(*Writer).Flush;net.(*conn).Write;internal/poll.(*FD).Write;syscall.write`,
    18,
  ],
  [
    `${ROUTE};APP/internal/web.readJSON;encoding/json.(*Decoder).Decode;encoding/json.(*decodeState).object;encoding/json.(*decodeState).literalStore`,
    14,
  ],
  [`${ROUTE};APP/internal/web.readJSON;encoding/json.(*Decoder).Decode;encoding/json.checkValid`, 6],
  [
    `${SERVE};APP/internal/web.(*Auth).ServeHTTP;github.com/golang-jwt/jwt/v5.(*Parser).ParseWithClaims;crypto/ecdsa.VerifyASN1;crypto/internal/fips140/nistec.(*P256Point).ScalarMult`,
    31,
  ],
  [
    `${SERVE};APP/internal/web.(*Auth).ServeHTTP;github.com/golang-jwt/jwt/v5.(*Parser).ParseWithClaims;encoding/base64.(*Encoding).DecodeString`,
    4,
  ],
  [`${SERVE};go.opentelemetry.io/otel/sdk/trace.(*recordingSpan).End;${MALLOC}`, 5],
  [
    'net/http.(*conn).serve;net/http.(*conn).readRequest;net/textproto.(*Reader).ReadMIMEHeader;net/textproto.canonicalMIMEHeaderKey',
    9,
  ],
  [
    'net/http.(*conn).serve;net/http.(*conn).readRequest;bufio.(*Reader).ReadLine;net/http.(*connReader).Read;internal/poll.(*FD).Read;syscall.read',
    13,
  ],
  [
    'go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).processQueue;go.opentelemetry.io/otel/exporters/otlp/otlptrace.(*Exporter).ExportSpans;google.golang.org/protobuf/proto.Marshal',
    8,
  ],
  ['runtime.gcBgMarkWorker;runtime.gcBgMarkWorker.func2;runtime.gcDrain;runtime.scanobject;runtime.greyobject', 21],
  ['runtime.gcBgMarkWorker;runtime.gcBgMarkWorker.func2;runtime.gcDrain;runtime.scanobject;runtime.findObject', 15],
  ['runtime.gcBgMarkWorker;runtime.gcBgMarkWorker.func2;runtime.gcDrain;runtime.scanobject', 18],
  ['runtime.mcall;runtime.park_m;runtime.schedule;runtime.findRunnable;runtime.netpoll', 12],
  ['runtime.mcall;runtime.park_m;runtime.schedule;runtime.findRunnable;runtime.stealWork', 9],
  ['runtime.bgsweep;runtime.sweepone;runtime.(*mspan).sweep', 5],
];

const PARKED = 'runtime.gopark';

/** Goroutines at rest: each stack, how many at least, and how many more under load. */
export const GOROUTINE_STACKS: readonly (readonly [folded: string, atLeast: number, underLoad: number])[] = [
  [
    `net/http.(*Server).Serve;net.(*TCPListener).Accept;internal/poll.(*FD).Accept;internal/poll.runtime_pollWait;${PARKED}`,
    2,
    0,
  ],
  [
    `net/http.(*conn).serve;net/http.(*conn).readRequest;net/http.(*connReader).Read;internal/poll.(*FD).Read;internal/poll.runtime_pollWait;${PARKED}`,
    24,
    40,
  ],
  [
    `${ORDER};APP/internal/stock.(*Client).Reserve;google.golang.org/grpc.(*ClientConn).Invoke;google.golang.org/grpc/internal/transport.(*Stream).waitOnHeader;runtime.selectgo;${PARKED}`,
    2,
    14,
  ],
  [
    `${ROUTE};APP/internal/order.(*Service).Find;APP/internal/order.(*Repository).ByID;database/sql.(*DB).conn;runtime.selectgo;${PARKED}`,
    0,
    9,
  ],
  [
    `google.golang.org/grpc/internal/transport.(*http2Client).reader;golang.org/x/net/http2.(*Framer).ReadFrame;internal/poll.(*FD).Read;internal/poll.runtime_pollWait;${PARKED}`,
    4,
    0,
  ],
  [`database/sql.(*DB).connectionOpener;runtime.selectgo;${PARKED}`, 1, 0],
  [`go.opentelemetry.io/otel/sdk/trace.(*batchSpanProcessor).processQueue;runtime.selectgo;${PARKED}`, 1, 0],
  [`APP/internal/cache.(*Cache).evictLoop;runtime.selectgo;${PARKED}`, 1, 0],
  [`main.main;APP/internal/web.(*Server).Run;runtime.chanrecv1;runtime.chanrecv;${PARKED}`, 1, 0],
];

/** A worker that waits for an answer whose reader has gone. */
export const LEAKING_STACK = `${ORDER};APP/internal/notify.(*Webhook).Send;APP/internal/notify.(*Webhook).Send.func1;runtime.chansend1;runtime.chansend;${PARKED}`;

/** Functions of a stack, root first, with the service's own module filled in. */
export function functionsOf(folded: string, service: string): string[] {
  return folded.replaceAll('APP', `shop.example/${service}`).split(';');
}

/** `pricing.go:118` and the like: the same for a function wherever it is called. */
export function locationOf(name: string): string {
  const file = /([\w-]+)\.[^/]*$/.exec(name)?.[1] ?? 'main';
  const line = 20 + (Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7) % 380);
  return `${file}.go:${line}`;
}
