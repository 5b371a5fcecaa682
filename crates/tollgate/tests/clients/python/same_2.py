"""Everything that a stateless client has, with the 2.x line of the Python SDK.

Reads {url, token} from standard input; writes what was done and what came of it to standard output.
"""

import asyncio
import json
import sys

import anyio
from mcp import Client, MCPError, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client


def plain(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def elicited(context, params):
    return types.ElicitResult(action="accept", content={"name": "Ada", "color": "red", "ok": True})


async def sampled(context, params):
    content = types.TextContent(type="text", text="Paris")
    return types.CreateMessageResult(role="assistant", model="none", content=content)


async def roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///tmp", name="tmp")])


async def progressed(client):
    steps = []

    async def note(progress, total, message):
        steps.append([progress, total])

    result = await client.call_tool("test_tool_with_progress", progress_callback=note)
    return [plain(result), steps]


async def left(client):
    with anyio.move_on_after(0.5):
        await client.call_tool("test_sleep")
        return "answered"
    return ["left", plain(await client.call_tool("test_simple_text"))]


async def subscribed(client):
    async with client.listen(tools_list_changed=True) as subscription:
        await client.call_tool("test_trigger_tool_change")
        async for event in subscription:
            return [plain(subscription.honored), type(event).__name__]


async def outcome(act):
    try:
        return await act
    except MCPError as error:
        return {"failed": error.error.code}


async def run(task):
    headers = {"Authorization": f"Bearer {task['token']}"} if task.get("token") else {}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(task["url"], http_client=http)
        async with Client(
            transport, elicitation_callback=elicited, sampling_callback=sampled, list_roots_callback=roots
        ) as client:

            async def dump(act):
                return plain(await act)

            reference = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
            steps = [
                ("list", dump(client.list_tools())),
                ("prompts", dump(client.list_prompts())),
                ("prompt", dump(client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"}))),
                ("resources", dump(client.list_resources())),
                ("resource", dump(client.read_resource("test://template/7/data"))),
                ("no resource", dump(client.read_resource("test://nowhere"))),
                ("completion", dump(client.complete(reference, {"name": "arg1", "value": "par"}))),
                ("call", dump(client.call_tool("test_multiple_content_types"))),
                ("error", dump(client.call_tool("test_error_handling"))),
                ("no tool", dump(client.call_tool("test_nothing"))),
                ("progress", progressed(client)),
                ("elicitation", dump(client.call_tool("test_input_required_result_elicitation"))),
                ("rounds", dump(client.call_tool("test_input_required_result_multi_round"))),
                ("several", dump(client.call_tool("test_input_required_result_multiple_inputs"))),
                ("leaving", left(client)),
                ("subscription", subscribed(client)),
            ]
            told = [["version", client.protocol_version], ["capabilities", plain(client.server_capabilities)]]
            return told + [[name, await outcome(act)] for name, act in steps]


print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
