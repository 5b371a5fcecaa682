// One server of the fixtures: for a session of the older revisions, or for one stateless request.
import { McpServer, createRequestStateCodec } from '@modelcontextprotocol/server';
import { prompts, resources } from './contents.mjs';
import { rounds } from './rounds.mjs';
import { tasks } from './tasks.mjs';
import { tools } from './tools.mjs';

// One key for all requests: a state minted by one is brought back to another.
const codec = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

export function server({ era, notify }) {
  const capabilities = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
    ...(era === 'modern' && { extensions: { 'io.modelcontextprotocol/tasks': {} } }),
  };
  const mcp = new McpServer(
    { name: 'conformance-upstream', version: '1.0.0' },
    { capabilities, requestState: { verify: codec.verify } },
  );
  if (era === 'modern') tasks(mcp);
  tools(mcp, notify);
  rounds(mcp, codec);
  prompts(mcp);
  resources(mcp);
  return mcp;
}
