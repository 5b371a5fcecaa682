// The walk with the 2.x line of the TypeScript SDK, in the mode it is told: legacy, auto, or one revision.
// Reads {url, token, mode, calls} from standard input; writes {version, tools, answers} to standard output.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { walk } from './walk.mjs';

const task = JSON.parse(await text(process.stdin));
const client = new Client({ name: 'typescript-2', version: '2.0.0' }, { versionNegotiation: { mode: task.mode } });
const headers = { Authorization: `Bearer ${task.token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } }));
console.log(
  JSON.stringify({ version: client.getNegotiatedProtocolVersion(), ...(await walk(client, task.calls)) }),
);
await client.close();
