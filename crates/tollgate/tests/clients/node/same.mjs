// What both lines do alike when they try everything that a session or a stateless client has: a list of what was done and
// what came of it, without what differs from one run to the next.

import { randomUUID } from 'node:crypto';

export const URI = 'test://watched-resource';

/** An ear for one thing: `heard` resolves with it. */
export function ear() {
  let tell;
  const heard = new Promise((resolve) => (tell = resolve));
  return { tell, heard };
}

export const said = (result) => result.content.map((part) => part.text ?? part.type);

/** Runs the steps in order: each is a name and what gives its outcome. */
export async function tell(steps) {
  const told = [];
  for (const [name, act] of steps) {
    try {
      told.push([name, await act()]);
    } catch (error) {
      told.push([name, { failed: error.code ?? error.name }]);
    }
  }
  return told;
}

/** Cancels a call once the server has begun it: what its caller sees, and what the server says that it saw. */
export async function cancelled(call) {
  const [name, stop] = [randomUUID(), new AbortController()];
  const options = { signal: stop.signal, onprogress: () => stop.abort() };
  const seen = await call('test_sleep', { name }, options).then(
    () => 'answered',
    () => 'cancelled',
  );
  return [seen, await call('test_slept', { name })];
}

/** What a person answers who has an answer to everything. */
export const filled = ({ requestedSchema }) => {
  const answers = { username: 'Ada', email: 'ada@example.com', name: 'Ada', color: 'red', ok: true };
  const asked = Object.keys(requestedSchema.properties);
  return { action: 'accept', content: Object.fromEntries(asked.map((name) => [name, answers[name]])) };
};

/** Those that are the same in both lines. */
export const common = (client) => [
  ['list', async () => (await client.listTools()).tools],
  ['prompts', async () => (await client.listPrompts()).prompts],
  ['prompt', () => client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a', arg2: 'b' } })],
  ['resources', async () => (await client.listResources()).resources],
  ['templates', async () => (await client.listResourceTemplates()).resourceTemplates],
  ['resource', () => client.readResource({ uri: 'test://template/7/data' })],
  ['no resource', () => client.readResource({ uri: 'test://nowhere' })],
  [
    'completion',
    () =>
      client.complete({
        ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
        argument: { name: 'arg1', value: 'par' },
      }),
  ],
  ['call', () => client.callTool({ name: 'test_multiple_content_types', arguments: {} })],
  ['error', () => client.callTool({ name: 'test_error_handling', arguments: {} })],
  ['no tool', () => client.callTool({ name: 'test_nothing', arguments: {} })],
];
