//! The internal REST interface: which operation a method and a path mean. Segments are decoded after the path is split,
//! so an encoded `/` stays inside its segment.

use std::borrow::Cow;

use http::Method;

use super::table::{Answer, Query, Refusal};
use super::world::World;
use super::{
    agents, approvals, comments, credentials, events, functions, notifications, runs, skills, stats, tasks,
    tools,
};
use crate::requests::RestRequest;

/// Carries out one request.
pub fn route(world: &mut World, request: &RestRequest) -> Answer {
    let unknown =
        || Refusal { status: 404, message: format!("no {} {}", request.method, request.url.path()) };
    let path = request.url.path().strip_prefix("/api/v1/").ok_or_else(unknown)?;
    let segments: Vec<Cow<'_, str>> = path.split('/').map(decode).collect();
    let segments: Vec<&str> = segments.iter().map(Cow::as_ref).collect();
    let answer = if request.method == Method::GET {
        read(world, &segments, &Query::of(&request.url))
    } else {
        write(world, request, &segments)
    };
    answer.unwrap_or_else(|| Err(unknown()))
}

fn decode(segment: &str) -> Cow<'_, str> {
    // The decoder of forms would make a space of `+`, which a path segment keeps.
    let pair = format!("={}", segment.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
    decoded.map_or(Cow::Borrowed(segment), Cow::Owned)
}

fn read(world: &World, path: &[&str], query: &Query) -> Option<Answer> {
    Some(match path {
        ["agents"] => agents::list(world, query),
        ["agents", id] => agents::get(world, id),
        ["approvals"] => approvals::list(world, query),
        ["comments"] => comments::list(world, query),
        ["credentials"] => credentials::list(world, query),
        ["events"] => events::list(world, query),
        ["events", id] => events::get(world, id),
        ["functions"] => functions::list(world, query),
        ["functions", id] => functions::get(world, id),
        ["health"] => Ok(stats::health()),
        ["notifications"] => notifications::list(world, query),
        ["runs"] => runs::list(world, query),
        ["runs", id] => runs::get(world, id),
        ["runs", id, "steps"] => runs::steps(world, id),
        ["runs", id, "tool-calls"] => runs::tool_calls(world, id),
        ["skills"] => skills::list(world, query),
        ["skills", "market"] => Ok(skills::search_market(query)),
        ["stats"] => Ok(stats::stats(world)),
        ["tasks"] => tasks::list(world, query),
        ["tasks", "board"] => Ok(tasks::board(world, query)),
        ["tasks", id] => tasks::get(world, id),
        ["tools"] => tools::list(world, query),
        ["tools", name] => tools::get(world, name),
        _ => return None,
    })
}

fn write(world: &mut World, request: &RestRequest, path: &[&str]) -> Option<Answer> {
    let body = &request.body;
    Some(match (request.method.as_str(), path) {
        ("POST", ["agents"]) => agents::create(world, body),
        ("PATCH", ["agents", id]) => agents::update(world, id, body),
        ("PUT", ["agents", id, "skills"]) => agents::set_skills(world, id, body),
        ("POST", ["approvals", id, "approve"]) => approvals::approve(world, id, body),
        ("POST", ["approvals", id, "reject"]) => approvals::reject(world, id, body),
        ("POST", ["comments"]) => comments::add(world, body),
        ("POST", ["credentials"]) => credentials::create(world, body),
        ("DELETE", ["credentials", name]) => credentials::delete(world, name),
        ("POST", ["events"]) => events::send(world, body),
        ("POST", ["functions"]) => functions::create(world, body),
        ("POST", ["functions", "inline"]) => functions::create_inline(world, body),
        ("PATCH", ["functions", id]) => functions::update(world, id, body),
        ("DELETE", ["functions", id]) => functions::delete(world, id),
        ("PUT", ["functions", id, "skills"]) => agents::set_function_skills(world, id, body),
        ("POST", ["notifications", "read-all"]) => Ok(notifications::mark_all_read(world)),
        ("POST", ["notifications", id, "read"]) => notifications::mark_read(world, id),
        ("POST", ["runs", id, "cancel"]) => runs::cancel(world, id),
        ("POST", ["runs", id, "retry"]) => runs::retry(world, id),
        ("POST", ["runs", id, "replay"]) => runs::replay(world, id),
        ("POST", ["skills", "preview"]) => skills::preview(body),
        ("POST", ["skills", "import"]) => skills::import(world, body),
        ("POST", ["tasks"]) => tasks::create(world, body),
        ("PATCH", ["tasks", id]) => tasks::update(world, id, body),
        ("DELETE", ["tasks", id]) => tasks::delete(world, id),
        ("POST", ["tools"]) => tools::create(world, body),
        ("PATCH", ["tools", name]) => tools::update(world, name, body),
        ("DELETE", ["tools", name]) => tools::delete(world, name),
        _ => return None,
    })
}
