// The protocol's own test server, for a stateless client of the 2.x line of the TypeScript SDK.
// Reads {url, token} from standard input; writes what was done and what came of it.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { FORM, ROOTS, SAMPLE, everything } from './everything.mjs';

const task = JSON.parse(await text(process.stdin));
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const client = new Client({ name: 'everything-2', version: '2.0.0' }, { versionNegotiation: { mode: 'auto' }, capabilities });
client.setRequestHandler('elicitation/create', () => FORM);
client.setRequestHandler('sampling/createMessage', () => SAMPLE);
client.setRequestHandler('roots/list', () => ({ roots: ROOTS }));
const headers = { Authorization: `Bearer ${task.token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } }));
const told = await everything(client, (name, given, options) => client.callTool({ name, arguments: given }, options));
console.log(JSON.stringify({ version: client.getNegotiatedProtocolVersion(), told }));
await client.close();
