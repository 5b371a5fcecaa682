//! Stateless calls that an older server answers with questions: each round is a request of its own.

use serde_json::{Value, json};

use crate::world::{Answer, World, with, world};

/// An older server: `name` asks for a name, `both` for a name and roots at once, `twice` for one after the other, `rude`
/// for what was not offered, `page` by an error. It tells what its client can do, which process it is, and what it was answered.
const OLD: &str = r#"*'"initialize"'*) can=$(printf '%s' "$line" | sed -nE 's/.*"capabilities": ?(\{.*\}), ?"clientInfo.*/\1/p'); hello;;
*'"whoami"'*) done_with "{\"content\":[],\"pid\":$$,\"can\":$can}";;
*'"name"':*'"rude"'*) asked=$(id); say '{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}}';;
*'"page"'*) answer '"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"1","url":"https://x.example","message":"go"}]}}';;
*'"both"'*) asked=$(id); left=2; say '{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"message":"who","requestedSchema":{}}}'
    say '{"jsonrpc":"2.0","id":"q2","method":"roots/list"}';;
*'"twice"'*) asked=$(id); left=2; say '{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"message":"one"}}';;
*'"busy"'*) asked=$(id); left=1; say '{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"message":"who"}}'
    say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":$asked,\"progress\":1}}";;
*'"ask"'*) asked=$(id); left=1; say '{"jsonrpc":"2.0","id":"q1","method":"elicitation/create","params":{"message":"who"}}';;
*'"id":"q'*) left=$((left - 1)); told="$told${told:+,}$line"
    if [ "$left" -le 0 ]; then say "{\"jsonrpc\":\"2.0\",\"id\":$asked,\"result\":{\"content\":[],\"pid\":$$,\"told\":[$told]}}"; told=; fi
    if [ "$left" = 1 ] && [ -z "${line##*one*}" ]; then say '{"jsonrpc":"2.0","id":"q2","method":"elicitation/create","params":{"message":"two"}}'; fi;;"#;

fn form() -> Value {
    json!({ "elicitation": { "form": {} } })
}

/// A call of `tool` by a client that offers to be asked `offer`, with what a further round brings.
async fn call(world: &World, offer: &Value, tool: &str, round: Option<(&Value, Value)>) -> Answer {
    let mut params = json!({ "name": tool, "arguments": { "a": 1 } });
    if let Some((last, answers)) = round {
        params["requestState"] = last["requestState"].clone();
        params["inputResponses"] = answers;
    }
    world.send(world.offering(offer, 7, "tools/call", params)).await
}

/// The result of a round that asks.
fn asks(answer: &Answer) -> Value {
    let result = answer.json()["result"].take();
    assert_eq!((answer.status, &result["resultType"]), (200, &json!("input_required")), "{answer:?}");
    result
}

fn error(answer: &Answer) -> (u16, i64) {
    (answer.status, answer.json()["error"]["code"].as_i64().unwrap_or_default())
}

fn named(name: &str) -> Value {
    json!({ "action": "accept", "content": { "name": name } })
}

#[tokio::test]
async fn a_question_is_answered_in_the_next_round() {
    let world = world(OLD).await;
    let first = asks(&call(&world, &form(), "ask", None).await);
    let request = json!({ "method": "elicitation/create", "params": { "message": "who" } });
    assert_eq!(first["inputRequests"], json!({ "question-1": request }));
    let answers = json!({ "question-1": named("Ada"), "unasked": {} });
    let done = call(&world, &form(), "ask", Some((&first, answers))).await.json();
    assert_eq!((&done["id"], &done["result"]["resultType"]), (&json!(7), &json!("complete")), "{done}");
    assert_eq!(done["result"]["told"], json!([{ "jsonrpc": "2.0", "id": "q1", "result": named("Ada") }]));
}

#[tokio::test]
async fn progress_between_rounds_is_heard_in_one_of_them() {
    let world = world(OLD).await;
    let round = async |token: &str, more: Value| {
        let mut params = json!({ "name": "busy", "_meta": { "progressToken": token } });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = world.send(world.offering(&form(), 7, "tools/call", params)).await;
        let heard = answer.text.matches(&format!("\"progressToken\":\"{token}\"")).count();
        (answer.json()["result"].take(), heard)
    };
    let (first, before) = round("one", json!({})).await;
    let answers = json!({ "question-1": named("Ada") });
    let more = json!({ "requestState": first["requestState"], "inputResponses": answers });
    let (second, after) = round("two", more).await;
    assert_eq!((&second["resultType"], before + after), (&json!("complete"), 1), "{second}");
}

#[tokio::test]
async fn several_questions_take_as_many_rounds_as_they_need() {
    let world = world(OLD).await;
    let offer = json!({ "elicitation": {}, "roots": {} });
    // Both may come in one round or in two, as they were written.
    let mut round = asks(&call(&world, &offer, "both", None).await);
    let mut told = Vec::new();
    let done = loop {
        let answers: Value = round["inputRequests"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, request)| {
                told.push(request["method"].clone());
                (name.clone(), json!({ "for": request["method"] }))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let answer = call(&world, &offer, "both", Some((&round, answers))).await;
        if answer.json()["result"]["resultType"] == "complete" {
            break answer.json();
        }
        round = asks(&answer);
    };
    assert_eq!(told, [json!("elicitation/create"), json!("roots/list")]);
    let answers: Vec<_> =
        done["result"]["told"].as_array().unwrap().iter().map(|line| &line["result"]["for"]).collect();
    assert_eq!(answers, [&json!("elicitation/create"), &json!("roots/list")]);

    let one = asks(&call(&world, &form(), "twice", None).await);
    let two =
        asks(&call(&world, &form(), "twice", Some((&one, json!({ "question-1": named("one") })))).await);
    assert_eq!(two["inputRequests"]["question-2"]["params"]["message"], "two");
    let done = call(&world, &form(), "twice", Some((&two, json!({ "question-2": named("x") })))).await.json();
    assert_eq!(done["result"]["told"].as_array().map(Vec::len), Some(2), "{done}");
}

#[tokio::test]
async fn what_is_not_answered_is_asked_again() {
    let world = world(OLD).await;
    let first = asks(&call(&world, &form(), "ask", None).await);
    let again = asks(&call(&world, &form(), "ask", Some((&first, json!({ "other": {} })))).await);
    assert_eq!(again["inputRequests"], first["inputRequests"]);
    assert_ne!(again["requestState"], first["requestState"]);
    let done = call(&world, &form(), "ask", Some((&again, json!({ "question-1": named("Ada") })))).await;
    assert_eq!(done.json()["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_state_is_good_for_its_own_call_and_once() {
    let world = world(OLD).await;
    let first = asks(&call(&world, &form(), "ask", None).await);
    let answers = json!({ "question-1": named("Ada") });
    let other = call(&world, &form(), "twice", Some((&first, answers.clone()))).await;
    assert_eq!(error(&other), (200, -32602), "another tool");
    let more = json!({ "elicitation": {}, "roots": {} });
    assert_eq!(error(&call(&world, &more, "ask", Some((&first, answers.clone()))).await), (200, -32602));
    let forged = json!({ "requestState": "x".repeat(43) });
    assert_eq!(error(&call(&world, &form(), "ask", Some((&forged, answers.clone()))).await), (200, -32602));
    for wrong in [json!([]), json!({ "question-1": "Ada" })] {
        assert_eq!(error(&call(&world, &form(), "ask", Some((&first, wrong))).await), (400, -32602));
    }
    let done = call(&world, &form(), "ask", Some((&first, answers.clone()))).await;
    assert_eq!(done.json()["result"]["resultType"], "complete", "what was refused was no round");
    assert_eq!(error(&call(&world, &form(), "ask", Some((&first, answers))).await), (200, -32602), "once");
}

#[tokio::test]
async fn a_server_is_told_what_its_client_offers_and_asks_no_more() {
    let world = world(OLD).await;
    let who = async |offer: Value| call(&world, &offer, "whoami", None).await.json()["result"].take();
    let (none, one, same) =
        (who(json!({})).await, who(form()).await, who(json!({ "elicitation": {} })).await);
    assert_eq!((&none["can"], &one["can"]), (&json!({}), &form()));
    assert_ne!(none["pid"], one["pid"], "what a server is told can't be taken back");
    assert_eq!(one["pid"], same["pid"], "the same is offered in other words");
    let rude = call(&world, &form(), "rude", None).await.json();
    assert_eq!(rude["result"]["told"][0]["error"]["code"], -32601, "{rude}");
    let silent = call(&world, &json!({}), "ask", None).await.json();
    assert_eq!(silent["result"]["told"][0]["error"]["code"], -32601, "{silent}");
}

#[tokio::test]
async fn calls_that_wait_have_processes_of_their_own() {
    let world = world(OLD).await;
    let (one, other) = (call(&world, &form(), "ask", None).await, call(&world, &form(), "ask", None).await);
    let (one, other) = (asks(&one), asks(&other));
    let finish = async |round: &Value, name: &str| {
        let answers = json!({ "question-1": named(name) });
        call(&world, &form(), "ask", Some((round, answers))).await.json()["result"].take()
    };
    let (late, early) = (finish(&other, "Bob").await, finish(&one, "Ada").await);
    assert_ne!(late["pid"], early["pid"]);
    let name = |result: &Value| result["told"][0]["result"]["content"]["name"].clone();
    assert_eq!((name(&late), name(&early)), (json!("Bob"), json!("Ada")));
    let who = call(&world, &form(), "whoami", None).await.json();
    assert_eq!(who["result"]["pid"], early["pid"], "the first serves again when its call is done");
}

#[tokio::test]
async fn a_call_that_nobody_comes_back_for_is_given_up() {
    let idle = std::time::Duration::from_millis(100);
    let world = with(OLD, |settings| (settings.idle, settings.max_sessions) = (idle, 1)).await;
    let first = asks(&call(&world, &form(), "ask", None).await);
    // There is room for another when its process is gone.
    let room = async { while call(&world, &form(), "whoami", None).await.status == 503 {} };
    tokio::select! {
        () = world.bridge.sweep() => unreachable!("it sweeps for ever"),
        () = room => {}
    }
    let late = call(&world, &form(), "ask", Some((&first, json!({ "question-1": named("Ada") })))).await;
    assert_eq!(error(&late), (200, -32602));
}

#[tokio::test]
async fn there_are_no_more_calls_at_once_than_processes() {
    let world = with(OLD, |settings| settings.max_sessions = 1).await;
    let first = asks(&call(&world, &form(), "ask", None).await);
    assert_eq!(error(&call(&world, &form(), "ask", None).await), (503, -32603));
    let done = call(&world, &form(), "ask", Some((&first, json!({ "question-1": named("Ada") })))).await;
    assert_eq!(done.json()["result"]["resultType"], "complete");
    asks(&call(&world, &form(), "ask", None).await);
}

#[tokio::test]
async fn a_page_that_must_be_opened_first_is_asked_for() {
    let world = world(OLD).await;
    let refused = call(&world, &form(), "page", None).await;
    assert_eq!(error(&refused), (200, -32602), "-32042 is none of the newer revision");
    let offer = json!({ "elicitation": { "url": {} } });
    let asked = asks(&call(&world, &offer, "page", None).await);
    assert_eq!(asked["inputRequests"]["page-1"]["params"]["url"], "https://x.example");
    assert_eq!(asked.get("requestState"), None);
    let mut declined = json!({ "name": "page", "arguments": {} });
    declined["inputResponses"] = json!({ "page-1": { "action": "decline" } });
    let declined = world.send(world.offering(&offer, 8, "tools/call", declined)).await;
    assert_eq!(error(&declined), (200, -32602));
}
