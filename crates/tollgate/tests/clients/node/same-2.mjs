// Everything that a client of the 2.x line of the TypeScript SDK has: of a session where the task's mode is `legacy`, else of a
// stateless client; over a program of standard input and output where the task names one. Reads {url, token, mode, command?} from
// standard input; writes what was done and what came of it.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { URI, cancelled, common, ear, filled, said, tell } from './same.mjs';

const task = JSON.parse(await text(process.stdin));
const client = new Client(
  { name: 'same-2', version: '2.0.0' },
  { versionNegotiation: { mode: task.mode }, capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} } },
);
client.setRequestHandler('elicitation/create', ({ params }) => filled(params));
client.setRequestHandler('sampling/createMessage', () => ({
  role: 'assistant',
  model: 'none',
  content: { type: 'text', text: 'Paris' },
}));
client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///tmp', name: 'tmp' }] }));
const [updated, changed] = [ear(), ear()];
client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated.tell(params.uri));
client.setNotificationHandler('notifications/tools/list_changed', () => changed.tell('told'));

const headers = task.token ? { Authorization: `Bearer ${task.token}` } : {};
const transport = task.command
  ? new StdioClientTransport({ ...task.command, stderr: 'inherit' })
  : new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } });
await client.connect(transport);

const call = async (name, given = {}, options = {}) => said(await client.callTool({ name, arguments: given }, options));

async function progressed() {
  const steps = [];
  const options = { onprogress: ({ progress, total }) => steps.push([progress, total]) };
  const result = await call('test_tool_with_progress', {}, options);
  // Over standard input and output this line of the SDK itself loses what it reads together with the answer.
  return [result, task.command ? steps.length > 0 : steps];
}

async function listened() {
  const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [URI] });
  await call('test_trigger_resource_update');
  await call('test_trigger_tool_change');
  const heard = [subscription.honoredFilter, await updated.heard, await changed.heard];
  await subscription.close();
  return heard;
}

async function subscribed() {
  await client.subscribeResource({ uri: URI });
  await call('test_trigger_resource_update');
  const heard = await updated.heard;
  await client.unsubscribeResource({ uri: URI });
  return heard;
}

const stateless = [
  ['elicit', () => call('test_input_required_result_elicitation')],
  ['rounds', () => call('test_input_required_result_multi_round')],
  ['several', () => call('test_input_required_result_multiple_inputs')],
  ['subscribe', listened],
];
const session = [
  ['ping', () => client.ping()],
  ['elicit', () => call('test_elicitation', { message: 'who' })],
  ['sampling', () => call('test_sampling', { prompt: 'what' })],
  ['resume', () => call('test_reconnection')],
  ['subscribe', subscribed],
];
const told = await tell([
  ['hello', () => [client.getNegotiatedProtocolVersion(), client.getServerVersion(), client.getServerCapabilities()]],
  ...common(client),
  ['progress', progressed],
  // `mcp-remote`, which a stateless client of standard input and output has in between, does not close the stream.
  ...(task.mode !== 'legacy' && task.command ? [] : [['cancel', () => cancelled(call)]]),
  ...(task.mode === 'legacy' ? session : stateless),
]);
console.log(JSON.stringify(told));
await client.close();
