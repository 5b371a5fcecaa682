// What the conformance suite runs as the client under test: hands the task to the test that started the suite, which does
// it with the product's own code, and ends as that did.
const [door, url] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION, MCP_CONFORMANCE_CONTEXT } = process.env;
const task = {
  url,
  scenario: MCP_CONFORMANCE_SCENARIO,
  version: MCP_CONFORMANCE_PROTOCOL_VERSION,
  context: JSON.parse(MCP_CONFORMANCE_CONTEXT ?? "{}"),
};
const answer = await fetch(door, { method: "POST", body: JSON.stringify(task) });
console.log(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
