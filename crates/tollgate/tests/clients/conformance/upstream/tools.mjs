// The tools that answer at once, report on their way, or ask the client while they run.
import { setTimeout as sleep } from 'node:timers/promises';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import { PIXEL, SILENCE, text } from './media.mjs';

const strings = (...names) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string', description: `The ${name}` }])),
  required: names,
});

const DIALECT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const FORM = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const DEFAULTS = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  required: [],
};

const titled = (...titles) => titles.map((title, at) => ({ const: `value${at + 1}`, title }));
const CHOICES = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') } },
  },
  required: [],
};

/** How each sleep of this process ends, by the name that its caller gave it. */
const sleeps = new Map();

// Asks on the stream of the call itself: the other one may not be open yet.
const ask = ({ mcpReq }, method, params) => mcpReq.send({ method, params });

async function elicited(context, message, requestedSchema) {
  const { action, content } = await ask(context, 'elicitation/create', { message, requestedSchema });
  return `action=${action}, content=${JSON.stringify(content ?? {})}`;
}

export function tools(mcp, notify) {
  const tool = (name, description, run, schema = { type: 'object' }) =>
    mcp.registerTool(name, { description, inputSchema: fromJsonSchema(schema) }, run);
  const embedded = (uri, mimeType, body) => ({ type: 'resource', resource: { uri, mimeType, text: body } });
  const image = { type: 'image', data: PIXEL, mimeType: 'image/png' };

  tool('test_simple_text', 'Answers with a text', () => text('This is a simple text response for testing.'));
  tool('test_image_content', 'Answers with an image', () => ({ content: [image] }));
  tool('test_audio_content', 'Answers with a sound', () => ({
    content: [{ type: 'audio', data: SILENCE, mimeType: 'audio/wav' }],
  }));
  tool('test_embedded_resource', 'Answers with a resource', () => ({
    content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }));
  tool('test_multiple_content_types', 'Answers with a text, an image and a resource', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }));
  tool('test_error_handling', 'Always fails', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  tool('json_schema_2020_12_tool', 'Tool with JSON Schema 2020-12 features', () => text('valid'), DIALECT);
  tool('test_custom_headers', 'Has an argument that is mirrored into a header', ({ region }) => text(region ?? ''), {
    type: 'object',
    properties: {
      region: { type: 'string', description: 'A region', 'x-mcp-header': 'Region' },
      query: { type: 'string', description: 'A query' },
    },
  });

  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    tool(name, 'Logs while it runs', async (_, { mcpReq }) => {
      await mcpReq.log('info', 'Tool execution started');
      await sleep(50);
      await mcpReq.log('info', 'Tool processing data');
      await sleep(50);
      await mcpReq.log('info', 'Tool execution completed');
      return text('Tool with logging executed');
    });
  }
  tool('test_tool_with_progress', 'Reports its progress', async (_, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        const params = { progressToken, progress, total: 100 };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      if (progress < 100) await sleep(50);
    }
    return text('Tool with progress executed');
  });
  tool('test_reconnection', 'Closes its stream before it answers', async (_, context) => {
    context.http?.closeSSE?.();
    await sleep(100);
    return text('Reconnection test completed');
  });
  tool('test_trigger_tool_change', 'Announces that the list of tools changed', () => {
    if (notify === undefined) mcp.sendToolListChanged();
    else notify().toolsChanged();
    return text('announced');
  });
  tool('test_trigger_prompt_change', 'Announces that the list of prompts changed', () => {
    if (notify === undefined) mcp.sendPromptListChanged();
    else notify().promptsChanged();
    return text('announced');
  });
  tool('test_trigger_resource_update', 'Announces that a resource changed', async () => {
    const uri = 'test://watched-resource';
    if (notify === undefined) await mcp.server.sendResourceUpdated({ uri });
    else notify().resourceUpdated(uri);
    return text('announced');
  });
  const begun = 'Sleeps until it is cancelled, or for a minute; reports as progress that it has begun';
  tool(
    'test_sleep',
    begun,
    async ({ name }, { mcpReq }) => {
      sleeps.set(
        name,
        sleep(60_000, 'slept', { signal: mcpReq.signal }).catch(() => 'cancelled'),
      );
      const progressToken = mcpReq._meta?.progressToken;
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
      return text(await sleeps.get(name));
    },
    strings('name'),
  );
  tool('test_slept', 'How a sleep ended, once it has', async ({ name }) => text(await sleeps.get(name)), strings('name'));

  tool(
    'test_sampling',
    'Asks the model of the client',
    async ({ prompt }, context) => {
      const messages = [{ role: 'user', content: { type: 'text', text: prompt } }];
      const { content } = await ask(context, 'sampling/createMessage', { messages, maxTokens: 100 });
      return text(`LLM response: ${content.text}`);
    },
    strings('prompt'),
  );
  tool(
    'test_elicitation',
    'Asks the user of the client',
    async ({ message }, context) => text(`User response: ${await elicited(context, message, FORM)}`),
    strings('message'),
  );
  tool('test_elicitation_sep1034_defaults', 'Asks with defaults', async (_, context) =>
    text(`Elicitation completed: ${await elicited(context, 'Review the defaults', DEFAULTS)}`),
  );
  tool('test_elicitation_sep1330_enums', 'Asks with choices', async (_, context) =>
    text(`Elicitation completed: ${await elicited(context, 'Choose', CHOICES)}`),
  );
}
