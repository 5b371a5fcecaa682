"""Everything that a client of the 2.x line of the Python SDK has: of a session where the task's mode is `legacy`, else of a
stateless client.

Reads {url, token, mode} from standard input; writes what was done and what came of it to standard output.
"""

import asyncio
import json
import sys
import uuid

import anyio
from mcp import Client, MCPError, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

WATCHED = "test://watched-resource"


def plain(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def elicited(context, params):
    answers = {"username": "Ada", "email": "ada@example.com", "name": "Ada", "color": "red", "ok": True}
    asked = params.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={name: answers[name] for name in asked})


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


async def cancelled(client):
    """What the server says of a call that is left once the server has begun it."""
    name = str(uuid.uuid4())
    with anyio.CancelScope() as scope:

        async def note(progress, total, message):
            scope.cancel()

        await client.call_tool("test_sleep", {"name": name}, progress_callback=note)
        return "answered"
    return plain(await client.call_tool("test_slept", {"name": name}))


async def listened(client):
    async with client.listen(tools_list_changed=True, resource_subscriptions=[WATCHED]) as subscription:
        await client.call_tool("test_trigger_resource_update")
        await client.call_tool("test_trigger_tool_change")
        heard = []
        async for event in subscription:
            heard.append(type(event).__name__)
            if len(heard) == 2:
                return [plain(subscription.honored), heard]


async def subscribed(client, updated):
    await client.subscribe_resource(WATCHED)
    await client.call_tool("test_trigger_resource_update")
    await updated.wait()
    return plain(await client.unsubscribe_resource(WATCHED))


async def outcome(act):
    try:
        return await act
    except MCPError as error:
        return {"failed": error.error.code}


async def run(task):
    updated = anyio.Event()

    async def heard(message):
        if isinstance(message, types.ResourceUpdatedNotification):
            updated.set()

    headers = {"Authorization": f"Bearer {task['token']}"} if task.get("token") else {}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(task["url"], http_client=http)
        async with Client(
            transport,
            mode=task["mode"],
            elicitation_callback=elicited,
            sampling_callback=sampled,
            list_roots_callback=roots,
            message_handler=heard,
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
                ("cancel", cancelled(client)),
            ]
            if task["mode"] == "legacy":
                steps += [
                    ("ping", dump(client.send_ping())),
                    ("elicit", dump(client.call_tool("test_elicitation", {"message": "who"}))),
                    ("sampling", dump(client.call_tool("test_sampling", {"prompt": "what"}))),
                    ("resume", dump(client.call_tool("test_reconnection"))),
                    ("subscribe", subscribed(client, updated)),
                ]
            else:
                steps += [
                    ("elicit", dump(client.call_tool("test_input_required_result_elicitation"))),
                    ("rounds", dump(client.call_tool("test_input_required_result_multi_round"))),
                    ("several", dump(client.call_tool("test_input_required_result_multiple_inputs"))),
                    ("subscribe", listened(client)),
                ]
            told = [["hello", [client.protocol_version, plain(client.server_capabilities)]]]
            return told + [[name, await outcome(act)] for name, act in steps]


print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
