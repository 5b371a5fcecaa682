// The walk with the 1.x line of the TypeScript SDK: a session of the older revisions.
// Reads {url, token, calls} from standard input; writes {version, tools, answers} to standard output.
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { walk } from './walk.mjs';

const task = JSON.parse(await text(process.stdin));
const client = new Client({ name: 'typescript-1', version: '1.0.0' });
const headers = { Authorization: `Bearer ${task.token}` };
const transport = new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } });
await client.connect(transport);
console.log(JSON.stringify({ version: transport.protocolVersion, ...(await walk(client, task.calls)) }));
await transport.terminateSession();
await client.close();
