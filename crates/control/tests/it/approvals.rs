//! Calls that wait for a person: who sees what, and what a person can say of them, once.

use control::{Actor, Approval, ApprovalFilter, ApprovalRemark, Conflict, Error, Server};
use domain::{ApprovalId, ApprovalState, GrantId, ServerId};
use serde_json::json;
use testkit::Question;
use vault::Entropy;

use crate::world::{World, fields};

const ARGUMENTS: &str = r#"{"api_key":"k-9","run_id":"run-7","to":"ada"}"#;

struct Desk {
    world: World,
    owner: Actor,
    server: Server,
    grant: GrantId,
}

impl Desk {
    async fn new() -> Self {
        let world = World::new().await;
        let owner = world.owner("acme").await;
        let server = world.server(&owner, "Flow Forge").await;
        world.tools(&owner, server.id, &["pay"]).await;
        let grant = world.grant(&owner, server.id).await.grant.id;
        Self { world, owner, server, grant }
    }

    async fn ask(&self, arguments: &str) -> ApprovalId {
        self.world.question(&self.owner, self.server.id, self.grant, "pay", arguments).await
    }

    async fn approve(&self, id: ApprovalId) -> Result<Approval, Error> {
        self.world.control.approve_call(&self.owner, id, &ApprovalRemark::default()).await
    }

    async fn refuse(&self, id: ApprovalId, note: &str) -> Result<Approval, Error> {
        let remark = ApprovalRemark { note: Some(note.to_owned()) };
        self.world.control.refuse_call(&self.owner, id, &remark).await
    }

    async fn one(&self, id: ApprovalId) -> Approval {
        self.world.control.approval(&self.owner, id).await.unwrap().approval
    }

    async fn listed(&self, filter: ApprovalFilter, limit: usize) -> Vec<ApprovalId> {
        let page = self.world.control.approvals(&self.owner, filter, limit).await.unwrap();
        page.approvals.iter().map(|approval| approval.id).collect()
    }
}

/// Why an approval can't be decided.
#[track_caller]
fn conflict(result: Result<Approval, Error>) -> String {
    match result {
        Err(Error::Conflict(Conflict::Approval(words))) => words,
        other => panic!("it should be a conflict: {other:?}"),
    }
}

#[tokio::test]
async fn who_may_decide_sees_the_arguments_and_nobody_else() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    let control = &desk.world.control;
    let editor = desk.world.with_role(&desk.owner, "editor").await;
    let seen = control.approval(&editor, id).await.unwrap().arguments.unwrap();
    assert_eq!(seen.text, "{\n  \"api_key\": \"•••\",\n  \"run_id\": \"run-7\",\n  \"to\": \"ada\"\n}");
    assert_eq!(seen.masked, ["/api_key"]);

    let viewer = desk.world.with_role(&desk.owner, "viewer").await;
    let detail = control.approval(&viewer, id).await.unwrap();
    assert!(detail.arguments.is_none());
    assert_eq!(detail.approval.argument_keys, ["api_key", "run_id", "to"]);
    assert_eq!((detail.approval.tool.as_str(), detail.approval.grant_label.as_str()), ("pay", "CI bot"));
    assert_eq!(control.pending_approvals(&viewer).await.unwrap(), 1);

    desk.refuse(id, "").await.unwrap();
    assert!(control.approval(&editor, id).await.unwrap().arguments.is_none());
    assert_eq!(
        desk.world.count("SELECT count(*) FROM approvals WHERE sealed_arguments IS NOT NULL").await,
        0
    );
}

#[tokio::test]
async fn what_the_tools_schema_calls_a_secret_is_masked() {
    let desk = Desk::new().await;
    let schema = json!({ "properties": { "run_id": { "type": "string", "format": "password" } } });
    let tool = storage::ToolDefinition {
        name: "pay".to_owned(),
        title: None,
        description: None,
        input_schema: schema,
        annotations: None,
        more: None,
        digest: [9; 32],
    };
    let mut tx = desk.world.db.storage.tenant(desk.owner.tenant()).await.unwrap();
    tx.upsert_tools(desk.server.id, &[tool], desk.world.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let id = desk.ask(ARGUMENTS).await;
    let seen = desk.world.control.approval(&desk.owner, id).await.unwrap().arguments.unwrap();
    assert_eq!(seen.masked, ["/api_key", "/run_id"]);
    assert!(!seen.text.contains("run-7"), "{}", seen.text);
    // A call without arguments has nothing to show.
    let none = desk.ask("").await;
    assert!(desk.world.control.approval(&desk.owner, none).await.unwrap().arguments.is_none());
}

#[tokio::test]
async fn a_call_is_approved_once_and_the_admin_log_says_by_whom() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    desk.world.minutes(10);
    let remark = ApprovalRemark { note: Some("  Go on.  ".to_owned()) };
    let approved = desk.world.control.approve_call(&desk.owner, id, &remark).await.unwrap();
    let now = desk.world.clock.now();
    assert_eq!((approved.state, approved.note.as_deref()), (ApprovalState::Approved, Some("Go on.")));
    assert_eq!(approved.decided_by.as_deref(), Some("owner@acme.example"));
    assert_eq!(approved.decided_at, Some(now));
    assert_eq!(approved.usable_until, Some(now + chrono::TimeDelta::hours(1)));

    desk.world.minutes(1);
    for again in [desk.approve(id).await, desk.refuse(id, "").await] {
        assert_eq!(conflict(again), "it was approved by owner@acme.example at 2026-10-01 12:10:00 UTC");
    }
    let log = desk.world.control.admin_log(&desk.owner, None, 1).await.unwrap().events.remove(0);
    assert_eq!((log.action.as_str(), log.subject.as_str()), ("approval.approve", "pay"));
    assert_eq!(log.subject_id, id.uuid());
    assert_eq!(log.details, json!({ "server": "Flow Forge", "grant": "CI bot" }));
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_does() {
    let desk = Desk::new().await;
    for n in 0..5 {
        let id = desk.ask(&format!(r#"{{"n":{n}}}"#)).await;
        let (approved, refused) = tokio::join!(desk.approve(id), desk.refuse(id, "No."));
        let state = desk.one(id).await.state;
        match (approved, refused) {
            (Ok(_), other) => {
                assert_eq!(state, ApprovalState::Approved);
                assert!(conflict(other).starts_with("it was approved by"));
            }
            (other, Ok(_)) => {
                assert_eq!(state, ApprovalState::Refused);
                assert!(conflict(other).starts_with("it was refused by"));
            }
            both => panic!("{both:?}"),
        }
        let decisions = desk.world.count("SELECT count(*) FROM admin_events WHERE action LIKE 'approval.%'");
        assert_eq!(decisions.await, n + 1, "what was not done is in no log");
    }
}

#[tokio::test]
async fn a_refusal_says_why() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    desk.world.minutes(1);
    let refused = desk.refuse(id, "Use the staging project.").await.unwrap();
    assert_eq!(refused.state, ApprovalState::Refused);
    assert_eq!(refused.note.as_deref(), Some("Use the staging project."));
    assert_eq!((refused.usable_until, refused.used_at), (None, None));
    assert_eq!(desk.world.last_action(&desk.owner).await, "approval.refuse");
}

#[tokio::test]
async fn a_note_is_short_and_can_be_seen() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    for note in ["x".repeat(501), "a\nb".to_owned(), "a\u{202e}b".to_owned()] {
        assert_eq!(fields(desk.refuse(id, &note).await), ["/note"]);
    }
    assert_eq!(desk.one(id).await.state, ApprovalState::Pending);
    assert_eq!(desk.refuse(id, &"ü".repeat(500)).await.unwrap().state, ApprovalState::Refused);
}

#[tokio::test]
async fn what_was_not_decided_in_time_is_not_decided_any_more() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    let used = desk.ask(r#"{"n":1}"#).await;
    desk.approve(used).await.unwrap();
    desk.world.minutes(60);
    assert_eq!(desk.one(id).await.state, ApprovalState::Expired);
    let words = conflict(desk.approve(id).await);
    assert!(words.starts_with("nobody decided until 2026-10-01 13:00:00 UTC"), "{words}");
    assert!(desk.world.control.approval(&desk.owner, id).await.unwrap().arguments.is_none());
    let words = conflict(desk.approve(used).await);
    assert!(words.ends_with("and the call was not made in time"), "{words}");
    assert_eq!(desk.world.control.pending_approvals(&desk.owner).await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_that_nobody_can_make_is_not_approved() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    desk.world.control.revoke_grant(&desk.owner, desk.grant).await.unwrap();
    let words = conflict(desk.approve(id).await);
    assert!(words.starts_with("the grant `CI bot` is revoked or has expired"), "{words}");
    assert!(desk.one(id).await.grant_ended);
    assert_eq!(desk.refuse(id, "").await.unwrap().state, ApprovalState::Refused);
}

#[tokio::test]
async fn lists_are_narrowed_and_their_pages_follow_each_other() {
    let desk = Desk::new().await;
    let mut asked = Vec::new();
    for n in 0..5 {
        desk.world.minutes(1);
        asked.insert(0, desk.ask(&format!(r#"{{"n":{n}}}"#)).await);
    }
    desk.approve(asked[1]).await.unwrap();
    let all = ApprovalFilter::default();
    assert_eq!(desk.listed(all, 50).await, asked);
    let pending = ApprovalFilter { state: Some(ApprovalState::Pending), ..all };
    assert_eq!(desk.listed(pending, 50).await, [asked[0], asked[2], asked[3], asked[4]]);
    let approved = ApprovalFilter { state: Some(ApprovalState::Approved), ..all };
    assert_eq!(desk.listed(approved, 50).await, [asked[1]]);
    let other: ServerId = Entropy::seeded(3).id(desk.world.clock.now());
    assert_eq!(desk.listed(ApprovalFilter { server: Some(other), ..all }, 50).await, []);
    assert_eq!(desk.listed(ApprovalFilter { server: Some(desk.server.id), ..all }, 50).await, asked);

    let (mut seen, mut before) = (Vec::new(), None);
    for pages in 1.. {
        let page =
            desk.world.control.approvals(&desk.owner, ApprovalFilter { before, ..all }, 2).await.unwrap();
        seen.extend(page.approvals.iter().map(|approval| approval.id));
        before = page.next;
        if before.is_none() {
            assert_eq!(pages, 3);
            break;
        }
    }
    assert_eq!(seen, asked);
}

#[tokio::test]
async fn the_call_that_was_made_is_named() {
    let desk = Desk::new().await;
    let (tenant, at) = (desk.owner.tenant(), desk.world.clock.now());
    let (server, grant) = (desk.server.id, desk.grant);
    let decision = Entropy::System.id(at);
    let question =
        Question { tenant, server, grant, policy: None, tool: "pay", arguments: ARGUMENTS, decision, at };
    let id = question.ask(&desk.world.db.storage, &desk.world.keyring).await;
    desk.approve(id).await.unwrap();
    desk.world.minutes(2);
    let made = Entropy::System.id(desk.world.clock.now());
    assert!(question.make(&desk.world.db.storage, made, desk.world.clock.now()).await.is_some());
    let used = desk.one(id).await;
    assert_eq!((used.state, used.used_decision_id), (ApprovalState::Used, Some(made)));
    assert_eq!((used.used_at, used.asked_decision_id), (Some(desk.world.clock.now()), decision));
    assert!(conflict(desk.approve(id).await).ends_with("and the call was made"));
}

#[tokio::test]
async fn the_address_that_agents_are_told_leads_to_the_organisation() {
    let desk = Desk::new().await;
    let id = desk.ask(ARGUMENTS).await;
    let world = &desk.world;
    let session = world.log_in("owner@acme.example", crate::world::PASSWORD, None).await.unwrap();
    let session = world.session(&session).await.unwrap();
    let found = world.control.organisation_of_approval(&session, id).await.unwrap();
    assert_eq!(found.as_str(), "acme");
    let stranger = world.sign_up("stranger@other.example", "other").await;
    let stranger = world.session(&stranger).await.unwrap();
    let lost = world.control.organisation_of_approval(&stranger, id).await;
    assert!(matches!(lost, Err(Error::NotFound)), "{lost:?}");
}
