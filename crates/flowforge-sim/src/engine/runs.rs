//! Runs: one execution of a function, step by step, as far as it gets without a person.
//!
//! A run pauses at a tool that asks for approval, and fails at a tool that is gone, whose credential is missing, or when
//! its input says so: `"simulate_faults": 2` makes the next two attempts fail.

use serde_json::{Value, json};

use super::table::{Answer, Query, Refusal, text};
use super::world::World;

/// How far one step got.
enum Step {
    Done(Value),
    Waiting,
    Failed(String),
}

pub fn list(world: &World, query: &Query) -> Answer {
    world.runs.list(query, &["function_id", "status"], |_| true)
}

pub fn get(world: &World, id: &str) -> Answer {
    world.runs.get(id).cloned()
}

pub fn steps(world: &World, id: &str) -> Answer {
    let run = world.runs.get(id)?;
    Ok(json!({ "run_id": id, "status": run["status"], "items": of_run(world.steps.all(), id) }))
}

pub fn tool_calls(world: &World, id: &str) -> Answer {
    world.runs.get(id)?;
    Ok(json!({ "run_id": id, "items": of_run(world.calls.all(), id) }))
}

fn of_run<'a>(rows: impl Iterator<Item = &'a Value>, id: &str) -> Vec<&'a Value> {
    rows.filter(|row| row["run_id"] == id).collect()
}

pub fn cancel(world: &mut World, id: &str) -> Answer {
    let now = world.now();
    let run = world.runs.get_mut(id)?;
    if !["pending", "running", "paused"].contains(&text(run, "status")) {
        return Err(Refusal::conflict(format!(
            "run `{id}` is {}: it can't be cancelled",
            text(run, "status")
        )));
    }
    run["status"] = "cancelled".into();
    run["finished_at"] = now.clone().into();
    let run = run.clone();
    for approval in world.approvals.all_mut().filter(|row| row["run_id"] == id && row["status"] == "pending")
    {
        approval["status"] = "rejected".into();
        approval["reason"] = "the run was cancelled".into();
        approval["decided_at"] = now.clone().into();
    }
    Ok(run)
}

/// Takes a failed run up again at the step that broke.
pub fn retry(world: &mut World, id: &str) -> Answer {
    let run = world.runs.get_mut(id)?;
    if run["status"] != "failed" {
        return Err(Refusal::conflict(format!(
            "run `{id}` is {}: only a failed run can be retried",
            text(run, "status")
        )));
    }
    run["attempt"] = json!(run["attempt"].as_u64().unwrap_or_default() + 1);
    advance(world, id)?;
    get(world, id)
}

/// A new run of the same function with the same input.
pub fn replay(world: &mut World, id: &str) -> Answer {
    let run = get(world, id)?;
    let new = start(world, text(&run, "function_id"), run["event_id"].as_str(), &run["input"])?;
    let row = world.runs.get_mut(&new)?;
    row["replay_of"] = id.into();
    Ok(row.clone())
}

/// Starts a run and carries it as far as it goes: its id.
pub fn start(
    world: &mut World,
    function: &str,
    event: Option<&str>,
    input: &Value,
) -> Result<String, Refusal> {
    if world.functions.get(function)?["is_active"] != true {
        return Err(Refusal::conflict(format!("function `{function}` is switched off")));
    }
    let (id, now) = (world.runs.mint(), world.now());
    let row = json!({
        "id": id, "function_id": function, "event_id": event, "status": "running", "attempt": 1, "input": input,
        "output": null, "error": null, "faults_left": input["simulate_faults"].as_u64().unwrap_or_default(),
        "started_at": now, "finished_at": null,
    });
    world.runs.put(&id, row);
    advance(world, &id)?;
    Ok(id)
}

/// Carries out the steps that are not done yet, until one has to wait or fails.
pub fn advance(world: &mut World, id: &str) -> Result<(), Refusal> {
    world.runs.get_mut(id)?["status"] = "running".into();
    let mut output = Value::Null;
    for (number, (name, tool)) in plan(world, id)?.into_iter().enumerate() {
        let key = format!("{id}/{number}");
        if let Some(done) = world.steps.get(&key).ok().filter(|step| step["status"] == "completed") {
            output = done["output"].clone();
            continue;
        }
        let started = world.now();
        let outcome = match tool {
            Some(tool) => use_tool(world, id, &tool)?,
            None => plain_step(world, id, &name, &output)?,
        };
        let (status, result, error) = match &outcome {
            Step::Done(value) => ("completed", value.clone(), None),
            Step::Waiting => ("waiting", Value::Null, None),
            Step::Failed(why) => ("failed", Value::Null, Some(why.clone())),
        };
        let finished = world.now();
        let row = json!({
            "run_id": id, "number": number, "name": name, "status": status, "input": output, "output": result,
            "error": error, "started_at": started, "finished_at": finished,
        });
        world.steps.put(&key, row);
        match outcome {
            Step::Done(value) => output = value,
            Step::Waiting => {
                world.runs.get_mut(id)?["status"] = "paused".into();
                return Ok(());
            }
            Step::Failed(why) => return fail(world, id, &name, &why),
        }
    }
    finish(world, id, "completed", &output, None)
}

fn finish(
    world: &mut World,
    id: &str,
    status: &str,
    output: &Value,
    error: Option<&str>,
) -> Result<(), Refusal> {
    let now = world.now();
    let run = world.runs.get_mut(id)?;
    run["status"] = status.into();
    run["output"] = output.clone();
    run["error"] = json!(error);
    run["finished_at"] = now.into();
    Ok(())
}

fn fail(world: &mut World, id: &str, step: &str, why: &str) -> Result<(), Refusal> {
    finish(world, id, "failed", &Value::Null, Some(why))?;
    world.notify("run_failed", &format!("Run {id} failed at \"{step}\": {why}"), id);
    Ok(())
}

/// The steps of a run: their names, and the tool that each uses.
fn plan(world: &World, id: &str) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let function = world.functions.get(text(world.runs.get(id)?, "function_id"))?;
    let mut steps = vec![("read input".to_owned(), None)];
    match function["tools"].as_array() {
        Some(tools) => steps.extend(
            tools.iter().filter_map(Value::as_str).map(|tool| (format!("use {tool}"), Some(tool.to_owned()))),
        ),
        None => steps.push((format!("call {}", text(function, "endpoint_url")), None)),
    }
    steps.push(("write answer".to_owned(), None));
    Ok(steps)
}

fn plain_step(world: &mut World, id: &str, name: &str, before: &Value) -> Result<Step, Refusal> {
    let run = world.runs.get_mut(id)?;
    let faults = run["faults_left"].as_u64().unwrap_or_default();
    if name == "write answer" && faults > 0 {
        run["faults_left"] = (faults - 1).into();
        return Ok(Step::Failed("the model's answer was cut off after 30 s".to_owned()));
    }
    Ok(Step::Done(match name {
        "read input" => run["input"].clone(),
        "write answer" => json!({ "summary": format!("{id} done"), "result": before }),
        _ => json!({ "status": 200 }),
    }))
}

/// Uses a tool on behalf of the run's agent, if it may be used now.
fn use_tool(world: &mut World, id: &str, name: &str) -> Result<Step, Refusal> {
    let tool = match world.tools.get(name) {
        Ok(tool) if tool["is_active"] == true => tool.clone(),
        Ok(_) => return Ok(Step::Failed(format!("tool `{name}` is switched off"))),
        Err(missing) => return Ok(Step::Failed(missing.message)),
    };
    if let Some(credential) = tool["credential"].as_str().filter(|name| !world.credentials.has(name)) {
        return Ok(Step::Failed(format!("credential `{credential}` is missing")));
    }
    let mut arguments = json!({ "input": world.runs.get(id)?["input"] });
    let mut approval = Value::Null;
    if tool["requires_approval"] == true {
        let asked =
            world.approvals.all().rev().find(|row| row["run_id"] == id && row["tool"] == name).cloned();
        match asked {
            Some(asked) if asked["status"] == "approved" => {
                arguments = asked["arguments"].clone();
                approval = asked["id"].clone();
            }
            Some(asked) if asked["status"] == "pending" => return Ok(Step::Waiting),
            Some(asked) => {
                return Ok(Step::Failed(format!("a person refused it: {}", text(&asked, "reason"))));
            }
            None => return Ok(ask_a_person(world, id, name, &arguments)),
        }
    }
    let (call, now) = (world.calls.mint(), world.now());
    let output = match text(&tool, "tool_type") {
        "webhook" => json!({ "status": 200, "sent_to": tool["webhook_url"] }),
        _ => json!({ "ok": true, "tool": name, "reference": call }),
    };
    let row = json!({
        "id": call, "run_id": id, "tool": name, "arguments": arguments, "output": output, "approval_id": approval,
        "called_at": now,
    });
    world.calls.put(&call, row);
    Ok(Step::Done(output))
}

fn ask_a_person(world: &mut World, id: &str, tool: &str, arguments: &Value) -> Step {
    let (approval, now) = (world.approvals.mint(), world.now());
    let row = json!({
        "id": approval, "run_id": id, "tool": tool, "arguments": arguments, "status": "pending", "reason": null,
        "requested_at": now, "decided_at": null,
    });
    world.approvals.put(&approval, row);
    world.notify("approval_wanted", &format!("Run {id} wants to use {tool}"), &approval);
    Step::Waiting
}
