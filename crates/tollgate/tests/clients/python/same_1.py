"""Everything that a session has, with the 1.x line of the Python SDK.

Reads {url, token} from standard input; writes what was done and what came of it to standard output.
"""

import asyncio
import json
import sys
import uuid
from functools import partial

import anyio
from mcp import ClientSession, types
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

WATCHED = AnyUrl("test://watched-resource")


def plain(result):
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


async def elicited(context, params):
    content = {"username": params.message, "email": "ada@example.com"}
    return types.ElicitResult(action="accept", content=content)


async def sampled(context, params):
    text = f"heard {params.messages[0].content.text}"
    content = types.TextContent(type="text", text=text)
    return types.CreateMessageResult(role="assistant", model="none", content=content)


async def progressed(session):
    steps = []

    async def note(progress, total, message):
        steps.append([progress, total])

    result = await session.call_tool("test_tool_with_progress", progress_callback=note)
    return [plain(result), steps]


async def cancelled(session):
    """What the server says of a call that is cancelled once the server has begun it."""
    name, begun = str(uuid.uuid4()), anyio.Event()
    # The SDK gives no request its id away.
    sent = types.CancelledNotificationParams(requestId=session._request_id, reason="enough")

    async def note(progress, total, message):
        begun.set()

    async with anyio.create_task_group() as group:
        group.start_soon(partial(session.call_tool, "test_sleep", {"name": name}, progress_callback=note))
        await begun.wait()
        cancel = types.CancelledNotification(params=sent)
        await session.send_notification(types.ClientNotification(cancel))
        slept = await session.call_tool("test_slept", {"name": name})
        # Its answer never comes.
        group.cancel_scope.cancel()
    return plain(slept)


async def subscribed(session, updated):
    await session.subscribe_resource(WATCHED)
    await session.call_tool("test_trigger_resource_update")
    await updated.wait()
    return plain(await session.unsubscribe_resource(WATCHED))


async def outcome(act):
    try:
        return await act
    except McpError as error:
        return {"failed": error.error.code}


async def run(task):
    updated = anyio.Event()

    async def heard(message):
        root = getattr(message, "root", None)
        if isinstance(root, types.ResourceUpdatedNotification):
            updated.set()

    headers = {"Authorization": f"Bearer {task['token']}"} if task.get("token") else {}
    async with (
        create_mcp_http_client(headers=headers) as http,
        streamable_http_client(task["url"], http_client=http) as (read, write, _),
        ClientSession(
            read, write, elicitation_callback=elicited, sampling_callback=sampled, message_handler=heard
        ) as session,
    ):

        async def dump(act):
            return plain(await act)

        reference = types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments")
        steps = [
            ("hello", dump(session.initialize())),
            ("list", dump(session.list_tools())),
            ("prompts", dump(session.list_prompts())),
            ("prompt", dump(session.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"}))),
            ("resources", dump(session.list_resources())),
            ("resource", dump(session.read_resource(AnyUrl("test://template/7/data")))),
            ("no resource", dump(session.read_resource(AnyUrl("test://nowhere")))),
            ("completion", dump(session.complete(reference, {"name": "arg1", "value": "par"}))),
            ("call", dump(session.call_tool("test_multiple_content_types"))),
            ("error", dump(session.call_tool("test_error_handling"))),
            ("no tool", dump(session.call_tool("test_nothing"))),
            ("ping", dump(session.send_ping())),
            ("progress", progressed(session)),
            ("elicit", dump(session.call_tool("test_elicitation", {"message": "who"}))),
            ("sampling", dump(session.call_tool("test_sampling", {"prompt": "what"}))),
            ("resume", dump(session.call_tool("test_reconnection"))),
            ("cancel", cancelled(session)),
            ("subscribe", subscribed(session, updated)),
        ]
        return [[name, await outcome(act)] for name, act in steps]


print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
