// Everything that a session has, with the 1.x line of the TypeScript SDK; over a program of standard input and output where
// the task names one. Reads {url, token, command?} from standard input; writes what was done and what came of it.
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { URI, cancelled, common, ear, filled, said, tell } from './same.mjs';

const task = JSON.parse(await text(process.stdin));
const capabilities = { elicitation: { form: {} }, sampling: {} };
const client = new Client({ name: 'same-1', version: '1.0.0' }, { capabilities });
client.setRequestHandler(ElicitRequestSchema, ({ params }) => filled(params));
client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
  role: 'assistant',
  model: 'none',
  content: { type: 'text', text: `heard ${params.messages[0].content.text}` },
}));
const updated = ear();
client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => updated.tell(params));

const headers = task.token ? { Authorization: `Bearer ${task.token}` } : {};
const transport = task.command
  ? new StdioClientTransport({ ...task.command, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } });
await client.connect(transport);

const call = async (name, given = {}, options = {}) =>
  said(await client.callTool({ name, arguments: given }, undefined, options));

async function progressed() {
  const steps = [];
  const options = { onprogress: ({ progress, total }) => steps.push([progress, total]) };
  const result = await call('test_tool_with_progress', {}, options);
  // Over standard input and output this line of the SDK itself loses what it reads together with the answer.
  return [result, task.command ? steps.length > 0 : steps];
}

async function subscribed() {
  await client.subscribeResource({ uri: URI });
  await call('test_trigger_resource_update');
  const params = await updated.heard;
  await client.unsubscribeResource({ uri: URI });
  return params;
}

const told = await tell([
  ['hello', () => [client.getServerVersion(), client.getServerCapabilities()]],
  ...common(client),
  ['ping', () => client.ping()],
  ['level', () => client.setLoggingLevel('debug')],
  ['progress', progressed],
  ['cancel', () => cancelled(call)],
  ['elicit', () => call('test_elicitation', { message: 'who' })],
  ['sampling', () => call('test_sampling', { prompt: 'what' })],
  ['resume', () => call('test_reconnection')],
  ['subscribe', subscribed],
]);
console.log(JSON.stringify(told));
await client.close();
