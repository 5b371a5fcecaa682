"""The walk with the 2.x line of the Python SDK, which asks for the stateless revision first.

Reads {url, token, mode, calls} from standard input; writes {version, tools, answers} to standard output.
"""

import asyncio
import json
import sys

from mcp import Client, MCPError
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def every_tool(client):
    names, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return names


async def answer(client, call):
    try:
        result = await client.call_tool(call["tool"], call["arguments"])
    except MCPError as error:
        return {"code": error.error.code, "text": error.error.message}
    return {"is_error": bool(result.is_error), "text": result.content[0].text, "meta": result.meta}


async def walk(task):
    headers = {"Authorization": f"Bearer {task['token']}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(task["url"], http_client=http)
        async with Client(transport, mode=task["mode"]) as client:
            tools = await every_tool(client)
            answers = [await answer(client, call) for call in task["calls"]]
            return {"version": client.protocol_version, "tools": tools, "answers": answers}


print(json.dumps(asyncio.run(walk(json.load(sys.stdin)))))
