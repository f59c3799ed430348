/** One bounded request to an address that the operator (or an authority he trusts) named. */

export interface OutgoingRequest {
  url: string;
  /** Sent by POST; a GET without. */
  body?: { bytes: Uint8Array; type: string };
  maxBytes: number;
  timeoutMs: number;
}

/** Resolves with the body of a 200. Rejects with the reason. A redirect is a failure: who sends one could point it into this network. */
export type Fetch = (request: OutgoingRequest) => Promise<Buffer>;

export const fetchBytes: Fetch = async ({ url, body, maxBytes, timeoutMs }) => {
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { method: 'POST', body: body.bytes, headers: { 'content-type': body.type } }),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(
      `it answers ${response.status}${response.status >= 300 && response.status < 400 ? '; redirects are not followed' : ''}`,
    );
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`its answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Why a request failed, in words that hold nothing of its address. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string } };
  return cause?.code ?? message;
}
