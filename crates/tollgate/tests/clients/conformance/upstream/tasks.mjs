// The tasks extension (SEP-2663): tools whose answer may be a task, and the methods that follow it. The SDK has no tasks of
// its own, and takes nothing but a tool's result from a tool: so its handler of calls is asked second.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  acceptedContent,
  fromJsonSchema,
  inputRequired,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './media.mjs';

const EXTENSION = 'io.modelcontextprotocol/tasks';
const NAME = z.object({ name: z.string() });
const confirmation = (message) => ({
  method: 'elicitation/create',
  params: {
    message,
    requestedSchema: { type: 'object', properties: { confirm: { type: 'boolean' } }, required: ['confirm'] },
  },
});

/** Every task of this process, by id: a stateless request finds what another one made. */
const known = new Map();

class Task {
  id = randomUUID();
  state = { status: 'working' };
  asked = new Map();
  #created = new Date().toISOString();
  #updated = this.#created;
  #cancelled = new AbortController();

  constructor(run) {
    known.set(this.id, this);
    Promise.resolve(run(this, this.#cancelled.signal)).then(
      (result) => this.#settle({ status: 'completed', result }),
      ({ code = ProtocolErrorCode.InternalError, message }) =>
        this.#settle({ status: 'failed', error: { code, message } }),
    );
  }

  get over() {
    return !['working', 'input_required'].includes(this.state.status);
  }

  #settle(state) {
    if (this.over) return;
    this.state = state;
    this.#updated = new Date().toISOString();
  }

  cancel() {
    this.#settle({ status: 'cancelled' });
    this.#cancelled.abort();
  }

  /** Asks the client for all of these at once; resolves when the last is answered. */
  async ask(requests) {
    const answers = requests.map((request) => new Promise((given) => this.asked.set(randomUUID(), { request, given })));
    this.#settle({ status: 'input_required' });
    return Promise.all(answers);
  }

  /** Takes the answers in; keys that were not asked for are nobody's. */
  answer(responses) {
    for (const [key, response] of Object.entries(responses)) {
      this.asked.get(key)?.given(response);
      this.asked.delete(key);
    }
    if (this.asked.size === 0) this.#settle({ status: 'working' });
  }

  get head() {
    return {
      taskId: this.id,
      status: this.state.status,
      createdAt: this.#created,
      lastUpdatedAt: this.#updated,
      ttlMs: 60_000,
      pollIntervalMs: 100,
    };
  }

  get detail() {
    const inputRequests = Object.fromEntries([...this.asked].map(([key, { request }]) => [key, request]));
    return { ...this.head, ...this.state, ...(this.state.status === 'input_required' && { inputRequests }) };
  }
}

const slowly = (seconds, signal) => sleep(seconds * 1000, undefined, { signal }).catch(() => {});
const failed = (message) => ({ ...text(message), isError: true });

/** What each tool does as a task; `required` ones do nothing else. */
const RUNS = {
  slow_compute: async (task, signal, { seconds = 0, label = '' }) => {
    await slowly(seconds, signal);
    return text(`computed ${label}`);
  },
  failing_job: async (task, signal) => {
    await slowly(1, signal);
    return failed('the job failed');
  },
  protocol_error_job: async () => {
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'the job broke');
  },
  confirm_delete: async (task, signal, { filename = '' }) => {
    const [answer] = await task.ask([confirmation(`Delete ${filename}?`)]);
    return text(answer.content?.confirm ? `deleted ${filename}` : 'kept');
  },
  multi_input: async (task) => {
    const answers = await task.ask([confirmation('First?'), confirmation('Second?')]);
    return text(`${answers.length} answers`);
  },
  test_tool_with_task: async (task, signal, { name }) => text(`Hello, ${name}!`),
};
const REQUIRED = new Set(['failing_job', 'protocol_error_job', 'confirm_delete', 'multi_input', 'test_tool_with_task']);

function declared(context) {
  const can = context.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'];
  return can?.extensions?.[EXTENSION] !== undefined;
}

function demand(context) {
  if (declared(context)) return;
  const requiredCapabilities = { extensions: { [EXTENSION]: {} } };
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities });
}

/** The answer to a call that becomes a task; nothing for one that does not. */
function created(request, context) {
  const { name, arguments: given = {} } = request.params;
  const run = Object.hasOwn(RUNS, name) ? RUNS[name] : undefined;
  if (run === undefined) return undefined;
  if (REQUIRED.has(name)) demand(context);
  if (!declared(context)) return undefined;
  let input = given;
  if (name === 'test_tool_with_task') {
    input = acceptedContent(context.mcpReq.inputResponses, 'user_name', NAME);
    // The tool itself asks, in the round before.
    if (input === undefined) return undefined;
  }
  const task = new Task((self, signal) => run(self, signal, input));
  return { resultType: 'task', ...task.head };
}

export function tasks(mcp) {
  const { server } = mcp;
  const call = server._requestHandlers.get('tools/call');
  server._requestHandlers.set('tools/call', async (request, context) => created(request, context) ?? call(request, context));

  const tool = (name, properties, run) => {
    const inputSchema = fromJsonSchema({ type: 'object', properties });
    mcp.registerTool(name, { description: `Fixture ${name}`, inputSchema }, run);
  };
  const string = { type: 'string' };
  tool('greet', { name: string }, ({ name }) => text(`Hello, ${name}!`));
  tool('slow_compute', { seconds: { type: 'number' }, label: string }, async (given, { mcpReq }) =>
    RUNS.slow_compute(undefined, mcpReq.signal, given),
  );
  const taskOnly = () => failed('this tool runs as a task only');
  tool('failing_job', {}, taskOnly);
  tool('protocol_error_job', {}, taskOnly);
  tool('confirm_delete', { filename: string }, taskOnly);
  tool('multi_input', {}, taskOnly);
  tool('test_tool_with_task', {}, () =>
    inputRequired({
      inputRequests: { user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: NAME }) },
    }),
  );

  const found = (taskId) => {
    const task = known.get(taskId);
    if (task === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found', { taskId });
    return task;
  };
  const method = (name, act) =>
    server.setRequestHandler(name, { params: z.looseObject({ taskId: z.string() }) }, (params, context) => {
      demand(context);
      return act(found(params.taskId), context.mcpReq.inputResponses ?? {}) ?? {};
    });
  method('tasks/get', (task) => task.detail);
  method('tasks/cancel', (task) => task.cancel());
  method('tasks/update', (task, given) => task.answer(given));
}
