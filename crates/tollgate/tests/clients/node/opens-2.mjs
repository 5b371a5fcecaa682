// A stateless client of the 2.x line of the TypeScript SDK that opens addresses for its person, and makes one call.
// Reads {url, token, tool, arguments} from standard input; writes {opened, is_error, text}: the addresses, and what came of the call.
import { text } from 'node:stream/consumers';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const task = JSON.parse(await text(process.stdin));
const client = new Client(
  { name: 'opens-2', version: '2.0.0' },
  { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {}, url: {} } } },
);
const opened = [];
client.setRequestHandler('elicitation/create', ({ params }) => {
  opened.push(params.url);
  return { action: 'accept' };
});
const headers = { Authorization: `Bearer ${task.token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(task.url), { requestInit: { headers } }));
const result = await client.callTool({ name: task.tool, arguments: task.arguments });
console.log(JSON.stringify({ opened, is_error: result.isError === true, text: result.content[0].text }));
await client.close();
