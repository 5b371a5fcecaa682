// The protocol's own test server, in a session of the 1.x line of the TypeScript SDK; over standard input and output where the task
// names a command. Reads {url, token, command?} from standard input; writes what was done and what came of it.
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema, ElicitRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { FORM, ROOTS, SAMPLE, everything } from './everything.mjs';

const task = JSON.parse(await text(process.stdin));
const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };
const client = new Client({ name: 'everything-1', version: '1.0.0' }, { capabilities });
client.setRequestHandler(ElicitRequestSchema, () => FORM);
client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLE);
client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: ROOTS }));
const headers = { Authorization: `Bearer ${task.token}` };
const transport = task.command
  ? new StdioClientTransport({ ...task.command, stderr: 'ignore' })
  : new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } });
await client.connect(transport);
const told = await everything(client, (name, given, options) => client.callTool({ name, arguments: given }, undefined, options));
console.log(JSON.stringify({ version: transport.protocolVersion ?? null, told }));
await client.close();
