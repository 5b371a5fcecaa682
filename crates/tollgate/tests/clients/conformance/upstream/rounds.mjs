// Tools and a prompt that ask for input in rounds (2026-07-28): each answers that input is required, and is called again
// with it.
import { acceptedContent, fromJsonSchema, inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './media.mjs';

const NAME = z.object({ name: z.string() });
const OK = z.object({ ok: z.boolean() });
const COLOUR = z.object({ color: z.string() });
const CONTEXT = z.object({ context: z.string() });

const elicit = (message, requestedSchema) => inputRequired.elicit({ message, requestedSchema });
const sample = (asked, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: asked } }], maxTokens });
const ask = (inputRequests, requestState) => inputRequired({ inputRequests, requestState });

export function rounds(mcp, codec) {
  const tool = (name, run) => {
    const inputSchema = fromJsonSchema({ type: 'object' });
    mcp.registerTool(`test_${name}`, { description: `Fixture ${name}`, inputSchema }, (_, context) =>
      run(context.mcpReq.inputResponses ?? {}, context),
    );
  };

  tool('input_required_result_elicitation', (given) => {
    const user = acceptedContent(given, 'user_name', NAME);
    return user ? text(`Hello, ${user.name}!`) : ask({ user_name: elicit('What is your name?', NAME) });
  });
  tool('input_required_result_sampling', ({ capital_question: answer }) =>
    answer?.content ? text(answer.content.text) : ask({ capital_question: sample('What is the capital of France?', 100) }),
  );
  tool('input_required_result_list_roots', ({ client_roots: given }) =>
    Array.isArray(given?.roots)
      ? text(`Roots: ${given.roots.map((root) => root.uri).join(', ')}`)
      : ask({ client_roots: inputRequired.listRoots() }),
  );
  for (const name of ['request_state', 'tampered_state']) {
    tool(`input_required_result_${name}`, async (given, context) => {
      const state = context.mcpReq.requestState();
      const confirmed = acceptedContent(given, 'confirm', OK);
      if (confirmed && state?.tool === name) return text('state-ok');
      return ask({ confirm: elicit('Please confirm', OK) }, await codec.mint({ tool: name }, context));
    });
  }
  tool('input_required_result_multiple_inputs', async (given, context) => {
    const user = acceptedContent(given, 'user_name', NAME);
    const { greeting, client_roots: roots } = given;
    if (user && greeting?.content && roots?.roots && context.mcpReq.requestState()) {
      return text(`${greeting.content.text} ${user.name}, ${roots.roots.length} roots`);
    }
    const asked = {
      user_name: elicit('What is your name?', NAME),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    };
    return ask(asked, await codec.mint({ round: 1 }, context));
  });
  tool('input_required_result_multi_round', async (given, context) => {
    const state = context.mcpReq.requestState();
    const step1 = acceptedContent(given, 'step1', NAME);
    const step2 = acceptedContent(given, 'step2', COLOUR);
    if (state?.name && step2) return text(`${state.name} likes ${step2.color}`);
    if (state && step1) {
      const asked = { step2: elicit('Step 2: What is your favorite color?', COLOUR) };
      return ask(asked, await codec.mint({ name: step1.name }, context));
    }
    return ask({ step1: elicit('Step 1: What is your name?', NAME) }, await codec.mint({ round: 1 }, context));
  });
  tool('input_required_result_capabilities', (given, { mcpReq }) => {
    if (Object.keys(given).length > 0) return text('answered');
    const can = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
    return ask({
      ...(can.elicitation && { user_name: elicit('What is your name?', NAME) }),
      ...(can.sampling && { greeting: sample('Generate a greeting', 50) }),
      ...(can.roots && { client_roots: inputRequired.listRoots() }),
    });
  });
  tool('missing_capability', ({ greeting }) => (greeting ? text('sampled') : ask({ greeting: sample('Hello', 50) })));
  tool('streaming_elicitation', async (given, { mcpReq }) => {
    const user = acceptedContent(given, 'user_name', NAME);
    return user ? text(`Hello, ${user.name}!`) : ask({ user_name: elicit('What is your name?', NAME) });
  });

  const description = 'Asks for its context';
  mcp.registerPrompt('test_input_required_result_prompt', { description }, ({ mcpReq }) => {
    const user = acceptedContent(mcpReq.inputResponses, 'user_context', CONTEXT);
    if (!user) return ask({ user_context: elicit('What context should the prompt use?', CONTEXT) });
    return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${user.context}` } }] };
  });
}
