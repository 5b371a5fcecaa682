"""The walk with the 1.x line of the Python SDK: a session of the older revisions.

Reads {url, token, calls} from standard input; writes {version, tools, answers} to standard output.
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.exceptions import McpError


async def every_tool(session):
    names, cursor = [], None
    while True:
        page = await session.list_tools(cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.nextCursor
        if cursor is None:
            return names


async def answer(session, call):
    try:
        result = await session.call_tool(call["tool"], call["arguments"])
    except McpError as error:
        return {"code": error.error.code, "text": error.error.message}
    return {"is_error": bool(result.isError), "text": result.content[0].text, "meta": result.meta}


async def walk(task):
    headers = {"Authorization": f"Bearer {task['token']}"}
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(task["url"], http_client=http) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        hello = await session.initialize()
        tools = await every_tool(session)
        answers = [await answer(session, call) for call in task["calls"]]
        return {"version": hello.protocolVersion, "tools": tools, "answers": answers}


print(json.dumps(asyncio.run(walk(json.load(sys.stdin)))))
