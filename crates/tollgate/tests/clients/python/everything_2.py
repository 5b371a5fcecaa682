"""The protocol's own test server (`server-everything`), for a stateless client of the 2.x line of the Python SDK.

Reads {url, token} from standard input; writes what was done and what came of it to standard output.
"""

import asyncio
import json
import sys

from mcp import Client, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


async def elicited(context, params):
    return types.ElicitResult(action="accept", content={"name": "Ada", "check": True, "integer": 7})


async def sampled(context, params):
    content = types.TextContent(type="text", text="sampled")
    return types.CreateMessageResult(role="assistant", model="none", content=content)


async def roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///work", name="work")])


async def run(task):
    headers = {"Authorization": f"Bearer {task['token']}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(task["url"], http_client=http)
        async with Client(
            transport, elicitation_callback=elicited, sampling_callback=sampled, list_roots_callback=roots
        ) as client:
            steps = []

            async def note(progress, total, message):
                if total:
                    steps.append([progress, total])

            async def call(name, given, **options):
                result = await client.call_tool(name, given, **options)
                return [part.text for part in result.content]

            told = [["tools", [tool.name for tool in (await client.list_tools()).tools]]]
            told.append(["echo", await call("echo", {"message": "hello"})])
            told.append(["sum", await call("get-sum", {"a": 2, "b": 3})])
            slow = await call("trigger-long-running-operation", {"duration": 0.3, "steps": 3}, progress_callback=note)
            told.append(["progress", [slow, steps]])
            told.append(["elicitation", await call("trigger-elicitation-request", {})])
            told.append(["sampling", await call("trigger-sampling-request", {"prompt": "what", "maxTokens": 10})])
            told.append(["roots", await call("get-roots-list", {})])
            document = await client.read_resource("demo://resource/static/document/features.md")
            told.append(["resource", document.contents[0].mime_type])
            prompt = await client.get_prompt("simple-prompt")
            messages = [message.model_dump(mode="json", exclude_none=True, by_alias=True) for message in prompt.messages]
            told.append(["prompt", messages])
            return {"version": client.protocol_version, "told": told}


print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
