// What a client does with the protocol's own test server (`server-everything`), by either line of the TypeScript SDK: a list of
// what was done and what came of it.
import { said, tell } from './same.mjs';

export const ROOTS = [{ uri: 'file:///work', name: 'work' }];
export const FORM = { action: 'accept', content: { name: 'Ada', check: true, integer: 7 } };
export const SAMPLE = { role: 'assistant', model: 'none', content: { type: 'text', text: 'sampled' } };

/** `call` calls a tool: its name, its arguments, how it tells progress. */
export const everything = (client, call) =>
  tell([
    ['tools', async () => (await client.listTools()).tools.map(({ name }) => name)],
    ['echo', async () => said(await call('echo', { message: 'hello' }))],
    ['sum', async () => said(await call('get-sum', { a: 2, b: 3 }))],
    [
      'progress',
      async () => {
        const steps = [];
        // A stateless client tells rounds as progress too; they have no total.
        const onprogress = ({ progress, total }) => total && steps.push([progress, total]);
        return [said(await call('trigger-long-running-operation', { duration: 0.3, steps: 3 }, { onprogress })), steps];
      },
    ],
    ['elicitation', async () => said(await call('trigger-elicitation-request', {}))],
    ['sampling', async () => said(await call('trigger-sampling-request', { prompt: 'what', maxTokens: 10 }))],
    ['roots', async () => said(await call('get-roots-list', {}))],
    ['resource', () => client.readResource({ uri: 'demo://resource/static/document/features.md' }).then(({ contents }) => contents[0].mimeType)],
    ['prompt', async () => (await client.getPrompt({ name: 'simple-prompt' })).messages],
  ]);
