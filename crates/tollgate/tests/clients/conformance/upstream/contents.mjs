// Prompts and resources, with what completes their arguments.
import { ResourceTemplate, completable } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { PIXEL } from './media.mjs';

const words = (described, values = []) =>
  completable(z.string().describe(described), (begun) => values.filter((value) => value.startsWith(begun)));
const said = (content) => ({ role: 'user', content });
const line = (text) => said({ type: 'text', text });

export function prompts(mcp) {
  mcp.registerPrompt('test_simple_prompt', { description: 'Says one thing' }, () => ({
    messages: [line('This is a simple prompt for testing.')],
  }));
  mcp.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Says what it is told',
      argsSchema: z.object({
        arg1: words('First test argument', ['paris', 'park', 'party']),
        arg2: words('Second test argument'),
      }),
    },
    ({ arg1, arg2 }) => ({ messages: [line(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  mcp.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Shows a resource', argsSchema: z.object({ resourceUri: words('URI of the resource') }) },
    ({ resourceUri: uri }) => ({
      messages: [
        said({
          type: 'resource',
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        }),
        line('Please process the embedded resource above.'),
      ],
    }),
  );
  mcp.registerPrompt('test_prompt_with_image', { description: 'Shows an image' }, () => ({
    messages: [
      said({ type: 'image', data: PIXEL, mimeType: 'image/png' }),
      line('Please analyze the image above.'),
    ],
  }));
}

export function resources(mcp) {
  const resource = (name, mimeType, body) => {
    const uri = `test://${name}`;
    mcp.registerResource(name, uri, { description: `The resource ${name}`, mimeType }, () => ({
      contents: [{ uri, mimeType, ...body }],
    }));
  };
  resource('static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  resource('static-binary', 'image/png', { blob: PIXEL });
  resource('watched-resource', 'text/plain', { text: 'Watched resource content' });
  mcp.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data by id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    mcp.server.setRequestHandler(method, () => ({}));
  }
}
