//! Finding rows: every filter, pages without gaps or doubles, one row by its id.

use std::time::Duration;

use audit::{Cursor, Decision, Filter, GrantNote, ServerNote, search};
use domain::{DecisionId, Outcome};

use crate::desk::{Desk, grant, server, start};

type Holds = Box<dyn Fn(&Decision) -> bool>;

/// Sixty decisions, a minute apart, of two servers, three grants, four tools; every fourth denied.
async fn filled() -> (Desk, Vec<Decision>) {
    let desk = Desk::new().await;
    let mut decisions = Vec::new();
    for n in 0..60_u64 {
        let mut decision = if n % 4 == 0 { desk.denied() } else { desk.allowed() };
        decision.server = Some(ServerNote { id: server(u128::from(n % 2)), name: format!("s{}", n % 2) });
        decision.grant = Some(GrantNote {
            id: grant(u128::from(n % 3)),
            label: format!("g{}", n % 3),
            identity: format!("agent-{}", n % 3),
        });
        decision.tool = Some(
            ["list_runs", "list_flows", "list%flows", "get_run"][usize::try_from(n % 4).unwrap()].to_owned(),
        );
        desk.record(&decision).await;
        decisions.push(decision);
        desk.advance(Duration::from_mins(1));
    }
    desk.drain().once().await.unwrap();
    (desk, decisions)
}

async fn found(desk: &Desk, filter: Filter) -> Vec<DecisionId> {
    desk.found(&filter).await.into_iter().map(|row| row.id).collect()
}

fn expected(decisions: &[Decision], holds: impl Fn(&Decision) -> bool) -> Vec<DecisionId> {
    decisions.iter().rev().filter(|decision| holds(decision)).map(|decision| decision.id).collect()
}

#[tokio::test]
async fn each_filter_narrows() {
    let (desk, decisions) = filled().await;
    let minute = |n: i64| start() + chrono::Duration::minutes(n);
    let tool = |decision: &Decision, name: &str| decision.tool.as_deref() == Some(name);
    let cases: Vec<(Filter, Holds)> = vec![
        (Filter::default(), Box::new(|_| true)),
        (
            Filter { server: Some(server(1)), ..Filter::default() },
            Box::new(|d| d.server.as_ref().unwrap().id == server(1)),
        ),
        (
            Filter { grant: Some(grant(2)), ..Filter::default() },
            Box::new(|d| d.grant.as_ref().unwrap().id == grant(2)),
        ),
        (
            Filter { identity: Some("agent-0".to_owned()), ..Filter::default() },
            Box::new(|d| d.grant.as_ref().unwrap().identity == "agent-0"),
        ),
        (
            Filter { tool: Some("list_flows".to_owned()), ..Filter::default() },
            Box::new(move |d| tool(d, "list_flows")),
        ),
        (
            Filter { tool: Some("list%*".to_owned()), ..Filter::default() },
            Box::new(move |d| tool(d, "list%flows")),
        ),
        (
            Filter { tool: Some("list*".to_owned()), ..Filter::default() },
            Box::new(|d| d.tool.as_deref().unwrap().starts_with("list")),
        ),
        (
            Filter { outcomes: vec![Outcome::Deny, Outcome::Limit], ..Filter::default() },
            Box::new(|d| d.outcome == Outcome::Deny),
        ),
        (
            Filter { rule: Some("/tools/flowforge_delete_run/deny_if/0".to_owned()), ..Filter::default() },
            Box::new(|d| d.outcome == Outcome::Deny),
        ),
        (Filter { rule: Some("/tools/other".to_owned()), ..Filter::default() }, Box::new(|_| false)),
        (
            Filter { from: Some(minute(10)), to: Some(minute(20)), ..Filter::default() },
            Box::new(move |d| (minute(10)..minute(20)).contains(&d.decided_at)),
        ),
        (
            Filter {
                server: Some(server(0)),
                outcomes: vec![Outcome::Allow],
                from: Some(minute(30)),
                ..Filter::default()
            },
            Box::new(move |d| {
                d.server.as_ref().unwrap().id == server(0)
                    && d.outcome == Outcome::Allow
                    && d.decided_at >= minute(30)
            }),
        ),
    ];
    for (filter, holds) in cases {
        assert_eq!(found(&desk, filter.clone()).await, expected(&decisions, holds), "{filter:?}");
    }
    for decision in decisions.iter().step_by(7) {
        let filter = Filter { request_id: Some(decision.id), ..Filter::default() };
        assert_eq!(found(&desk, filter).await, [decision.id]);
        assert_eq!(desk.get(decision).await.unwrap().id, decision.id);
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let (desk, mut decisions) = filled().await;
    // Twenty more in one and the same microsecond.
    let same: Vec<Decision> = (0..20).map(|_| desk.denied()).collect();
    for decision in &same {
        desk.record(decision).await;
    }
    desk.drain().once().await.unwrap();
    decisions.extend(same);
    decisions.sort_by_key(|decision| (decision.decided_at, decision.id));
    for limit in [1, 7, 80, 1000] {
        let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = search(&mut tx, &Filter::default(), after, limit).await.unwrap();
            assert!(page.rows.len() <= usize::from(limit));
            seen.extend(page.rows.iter().map(|row| row.id));
            // As a client hands it back.
            let Some(next) = page.next else { break };
            assert_eq!(page.rows.len(), usize::from(limit));
            after = Some(next.to_string().parse::<Cursor>().unwrap());
        }
        assert_eq!(seen, expected(&decisions, |_| true), "by {limit}");
    }
}

#[tokio::test]
async fn a_search_that_finds_little_ends_after_a_while_and_goes_on_where_it_ended() {
    let desk = Desk::new().await;
    // More than one stretch of each of two kinds; what is of both is old, and in the middle.
    let mut both = Vec::new();
    for n in 0..6000_u32 {
        let mut decision = if n % 2 == 0 { desk.denied() } else { desk.allowed() };
        decision.grant.as_mut().unwrap().id = grant(u128::from(n % 2));
        if n == 10 || n == 2500 {
            decision.grant.as_mut().unwrap().id = grant(1);
            both.push(decision.id);
        }
        desk.record(&decision).await;
        desk.advance(Duration::from_millis(1));
    }
    desk.drain().once().await.unwrap();
    let filter = Filter {
        grant: Some(grant(1)),
        tool: Some("flowforge_delete_run".to_owned()),
        server: Some(server(1)),
        ..Filter::default()
    };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
        let page = search(&mut tx, &filter, after, 50).await.unwrap();
        seen.extend(page.rows.iter().map(|row| row.id));
        assert_eq!(page.searched_to.is_some(), page.next.is_some(), "no page is full");
        assert!(page.next.is_none_or(|next| after.is_none_or(|after| next != after)), "it goes on");
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    both.reverse();
    assert_eq!(seen, both);
    // What no count speaks of is known to be nowhere.
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let none = Filter { identity: Some("nobody".to_owned()), ..filter };
    let page = search(&mut tx, &none, None, 50).await.unwrap();
    assert_eq!((page.rows.len(), page.next, page.searched_to), (0, None, None));
}

#[tokio::test]
async fn an_id_that_is_nobodys_is_not_found() {
    let (desk, _) = filled().await;
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let others: [DecisionId; 3] =
        [desk.id(), uuid::Uuid::from_u128(7).into(), uuid::Uuid::from_u128(u128::MAX).into()];
    for id in others {
        assert_eq!(audit::get(&mut tx, id).await.unwrap(), None);
    }
}

#[test]
fn a_cursor_is_a_text_and_nothing_else_is_a_cursor() {
    let text = "65f0f1e2d3c4b-01890a5dac96774bbcceb302099a8057";
    assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
    for bad in [
        "",
        "-",
        "1",
        "zz-01890a5dac96774bbcceb302099a8057",
        "1-1",
        "7fffffffffffffff-01890a5dac96774bbcceb302099a8057",
    ] {
        let error = bad.parse::<Cursor>().unwrap_err();
        assert!(error.to_string().contains("is not a cursor"), "{bad}");
    }
}
