// The same fixtures on standard input and output, for what serves such a server as Streamable HTTP. Speaks both eras; with
// `legacy` as its argument the older alone.
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { server } from './server.mjs';

if (process.argv[2] === 'legacy') {
  await server({ era: 'legacy' }).connect(new StdioServerTransport());
} else {
  serveStdio(server);
}
