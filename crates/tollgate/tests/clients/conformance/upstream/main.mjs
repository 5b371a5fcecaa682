// An upstream that implements every fixture of the conformance suite, in both eras, on the server package of the
// TypeScript SDK: sessions with resumable streams for the older revisions, stateless requests for 2026-07-28.
// Prints its address, and ends when its standard input does.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  WebStandardStreamableHTTPServerTransport,
  createMcpHandler,
  hostHeaderValidationResponse,
  isInitializeRequest,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
} from '@modelcontextprotocol/server';
import { EventStore } from './events.mjs';
import { server } from './server.mjs';

const sessions = new Map();
const modern = createMcpHandler((context) => server({ ...context, notify: () => modern.notify }), {
  legacy: 'reject',
});

async function opened() {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new EventStore(),
    retryInterval: 50,
    onsessioninitialized: (id) => void sessions.set(id, transport),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await server({ era: 'legacy' }).connect(transport);
  return transport;
}

async function legacy(request) {
  const id = request.headers.get('mcp-session-id');
  if (id !== null) {
    const transport = sessions.get(id);
    if (transport !== undefined) return transport.handleRequest(request);
    const error = { code: -32001, message: 'Session not found' };
    return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 404 });
  }
  const body = request.method === 'POST' ? await request.clone().json().catch(() => undefined) : undefined;
  if (isInitializeRequest(body)) return (await opened()).handleRequest(request);
  const error = { code: -32000, message: 'Bad Request: Mcp-Session-Id header is required' };
  return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 400 });
}

async function answer(request) {
  const refused =
    hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
    originValidationResponse(request, localhostAllowedOrigins());
  if (refused !== undefined) return refused;
  return (await isLegacyRequest(request)) ? legacy(request) : modern.fetch(request);
}

async function serve(incoming, outgoing) {
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const body = incoming.method === 'POST' ? Readable.toWeb(incoming) : undefined;
  const url = `http://${incoming.headers.host}${incoming.url}`;
  const init = { method: incoming.method, headers, body, duplex: 'half', signal: gone.signal };
  const response = await answer(new Request(url, init));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.fromWeb(response.body), outgoing);
}

const listener = createServer((incoming, outgoing) => {
  // A client that goes away in the middle of an answer is nothing to report.
  serve(incoming, outgoing).catch(() => outgoing.destroy());
});
listener.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${listener.address().port}/mcp`));
process.stdin.on('end', () => process.exit(0)).resume();
