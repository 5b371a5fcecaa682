// Everything that a stateless client has, with the 2.x line of the TypeScript SDK.
// Reads {url, token} from standard input; writes what was done and what came of it.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { URI, common, ear, said, tell } from './same.mjs';

const task = JSON.parse(await text(process.stdin));
const client = new Client(
  { name: 'same-2', version: '2.0.0' },
  { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} } },
);
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada', color: 'red', ok: true } }));
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
await client.connect(new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } }));

const call = async (name, given = {}, options = {}) => said(await client.callTool({ name, arguments: given }, options));

async function cancelled() {
  const stop = new AbortController();
  const sleeping = call('test_sleep', {}, { signal: stop.signal }).then(
    () => 'answered',
    () => 'cancelled',
  );
  await call('test_simple_text');
  stop.abort();
  return [await sleeping, await call('test_simple_text')];
}

async function progressed() {
  const steps = [];
  const options = { onprogress: ({ progress, total }) => steps.push([progress, total]) };
  return [await call('test_tool_with_progress', {}, options), steps];
}

async function subscribed() {
  const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: [URI] });
  await call('test_trigger_resource_update');
  await call('test_trigger_tool_change');
  const heard = [subscription.honoredFilter, await updated.heard, await changed.heard];
  await subscription.close();
  return heard;
}

const told = await tell([
  ['version', () => client.getNegotiatedProtocolVersion()],
  ['server', () => client.getServerVersion()],
  ['capabilities', () => client.getServerCapabilities()],
  ...common(client),
  ['progress', progressed],
  ['elicitation', () => call('test_input_required_result_elicitation')],
  ['rounds', () => call('test_input_required_result_multi_round')],
  ['several', () => call('test_input_required_result_multiple_inputs')],
  ['cancellation', cancelled],
  ['subscription', subscribed],
]);
console.log(JSON.stringify(told));
await client.close();
