// An agent with the TypeScript SDK, for the walk through the pages: what becomes of each call, in a word.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export async function agent(url, server, token) {
  const client = new Client({ name: 'pages', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const headers = { Authorization: `Bearer ${token}` };
  const address = new URL(`${url}/mcp/${server}`);
  await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
  return {
    async tool(name, given = {}) {
      try {
        const result = await client.callTool({ name, arguments: given });
        if (result.isError !== true) return 'allowed';
        const { text } = result.content[0];
        if (text.startsWith('[PENDING APPROVAL] ')) return 'waiting';
        return text.startsWith('[POLICY DENIED] ') ? 'denied' : 'failed';
      } catch (error) {
        if (error.code === -32602) return 'unknown';
        throw error;
      }
    },
  };
}
