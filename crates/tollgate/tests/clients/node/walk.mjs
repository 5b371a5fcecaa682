// What both lines do alike: list every page, make every call, tell what came back.

async function everyTool(client) {
  const names = [];
  let cursor;
  do {
    const page = await client.listTools({ cursor });
    names.push(...page.tools.map((tool) => tool.name));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return names;
}

async function answer(client, { tool, arguments: given }) {
  try {
    const result = await client.callTool({ name: tool, arguments: given });
    return { is_error: result.isError === true, text: result.content[0].text, meta: result._meta ?? null };
  } catch (error) {
    // The 2.x line has a word for a code, and the HTTP status beside it.
    const code = typeof error.code === 'number' ? error.code : error.status;
    if (typeof code !== 'number') throw error;
    return { code, text: error.message };
  }
}

export async function walk(client, calls) {
  const tools = await everyTool(client);
  const answers = [];
  for (const call of calls) answers.push(await answer(client, call));
  return { tools, answers };
}
