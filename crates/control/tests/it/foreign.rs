//! Another organisation's ids: to every operation they are as good as none.

use control::{
    Actor, ApprovalFilter, ApprovalRemark, Error, MatrixInput, MintedGrant, NewGrant, NewPolicy, Policy,
    PolicyName, SavePolicy, Server, ServerChange, Simulation,
};

use vault::Entropy;

use crate::world::{ALLOW, DENY, PASSWORD, World, fields, secret};

/// What another organisation has.
struct Theirs {
    owner: Actor,
    server: Server,
    policy: Policy,
    grant: MintedGrant,
}

async fn theirs(world: &World) -> Theirs {
    let owner = world.owner("theirs").await;
    let server = world.server(&owner, "server").await;
    let policy = world.policy(&owner, server.id, "policy").await;
    let grant = world.grant(&owner, server.id).await;
    Theirs { owner, server, policy, grant }
}

#[track_caller]
fn not_found<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::NotFound) => {}
        other => panic!("it should not be found: {other:?}"),
    }
}

#[tokio::test]
async fn servers_of_others_are_not_found() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    let (control, id) = (&world.control, theirs.server.id);
    not_found(control.server(&me, id).await);
    not_found(control.tools(&me, id).await);
    not_found(control.refresh_tools(&me, id).await);
    let change = ServerChange { name: Some("mine now".to_owned()), ..ServerChange::default() };
    not_found(control.update_server(&me, id, &change).await);
    not_found(control.delete_server(&me, id).await);
    assert!(control.servers(&me).await.unwrap().is_empty());
    assert_eq!(control.server(&theirs.owner, id).await.unwrap().name, "server");
}

#[tokio::test]
async fn policies_of_others_are_not_found() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    let (control, server, id) = (&world.control, theirs.server.id, theirs.policy.summary.id);
    not_found(control.policy(&me, id, None).await);
    not_found(control.policy(&me, id, Some(1)).await);
    not_found(control.policy_summary(&me, id).await);
    not_found(control.policy_history(&me, id).await);
    not_found(control.policy_diff(&me, id, 1, 1).await);
    let save = SavePolicy { expected_version: 1, document: DENY.to_owned() };
    not_found(control.save_policy(&me, id, &save).await);
    not_found(control.rename_policy(&me, id, &PolicyName { name: "mine".to_owned() }).await);
    not_found(control.delete_policy(&me, id).await);
    not_found(control.policies(&me, Some(server)).await);
    not_found(control.check_policy(&me, server, ALLOW).await);
    not_found(control.propose_policy(&me, server).await);
    not_found(control.policy_presets(&me, server).await);
    let new = NewPolicy { name: "mine".to_owned(), document: ALLOW.to_owned() };
    not_found(control.create_policy(&me, server, &new).await);
    let call = Simulation { document: ALLOW.to_owned(), tool: "x".to_owned(), ..Simulation::default() };
    not_found(control.simulate(&me, server, &call).await);
    let draft = MatrixInput { document: ALLOW.to_owned(), ..MatrixInput::default() };
    not_found(control.policy_matrix(&me, server, &draft).await);
    // Nor does it stand beside a draft for a server of one's own, any more than one that is nowhere.
    let own = world.server(&me, "own").await.id;
    for beside in [id.to_string(), own.uuid().to_string()] {
        let draft = MatrixInput { beside: Some(beside), ..draft.clone() };
        assert_eq!(fields(control.policy_matrix(&me, own, &draft).await), ["/beside"]);
    }
    assert!(control.policies(&me, None).await.unwrap().is_empty());
    assert_eq!(control.policy(&theirs.owner, id, None).await.unwrap().document, ALLOW);
}

#[tokio::test]
async fn grants_of_others_are_not_found() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    let (control, server, id) = (&world.control, theirs.server.id, theirs.grant.grant.id);
    not_found(control.grant(&me, id).await);
    not_found(control.grants(&me, Some(server)).await);
    not_found(control.rotate_grant(&me, id).await);
    not_found(control.reveal_grant(&me, id, &secret(PASSWORD)).await);
    not_found(control.revoke_grant(&me, id).await);
    not_found(control.attach_policy(&me, id, None).await);
    not_found(control.set_grant_expiry(&me, id, None).await);
    let new = NewGrant { label: "x".to_owned(), identity: "x".to_owned(), policy_id: None, expires_at: None };
    not_found(control.mint_grant(&me, server, &new).await);
    assert!(control.grants(&me, None).await.unwrap().is_empty());
    assert_eq!(control.grant(&theirs.owner, id).await.unwrap().revoked_at, None);
}

#[tokio::test]
async fn approvals_of_others_are_not_found() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    let (server, grant) = (theirs.server.id, theirs.grant.grant.id);
    let id = world.question(&theirs.owner, server, grant, "pay", "{}").await;
    let (control, remark) = (&world.control, ApprovalRemark::default());
    not_found(control.approval(&me, id).await);
    not_found(control.approve_call(&me, id, &remark).await);
    not_found(control.refuse_call(&me, id, &remark).await);
    assert!(control.approvals(&me, ApprovalFilter::default(), 10).await.unwrap().approvals.is_empty());
    let of_server = ApprovalFilter { server: Some(server), ..ApprovalFilter::default() };
    assert!(control.approvals(&me, of_server, 10).await.unwrap().approvals.is_empty());
    let behind = ApprovalFilter { before: Some(Entropy::seeded(1).id(world.clock.now())), ..of_server };
    assert!(control.approvals(&me, behind, 10).await.unwrap().approvals.is_empty());
    assert_eq!(control.pending_approvals(&me).await.unwrap(), 0);
    assert_eq!(control.pending_approvals(&theirs.owner).await.unwrap(), 1);
}

#[tokio::test]
async fn a_policy_of_others_can_not_judge_ones_own_grant() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    let server = world.server(&me, "own").await;
    let own = world.grant(&me, server.id).await.grant;
    let foreign = world.control.attach_policy(&me, own.id, Some(theirs.policy.summary.id)).await;
    let unknown = world.control.attach_policy(&me, own.id, Some(own.id.uuid().into())).await;
    assert_eq!(fields(foreign), ["/policy_id"]);
    assert_eq!(fields(unknown), ["/policy_id"], "one that exists elsewhere is told no apart");
    assert!(world.control.grant(&me, own.id).await.unwrap().policy.is_none());
}

#[tokio::test]
async fn keys_and_changes_of_others_are_not_seen() {
    let world = World::new().await;
    let (me, theirs) = (world.owner("mine").await, theirs(&world).await);
    world.with_role(&theirs.owner, "viewer").await;
    let key = world.control.keys(&theirs.owner).await.unwrap().remove(0);
    not_found(world.control.key(&me, key.id).await);
    not_found(world.control.revoke_key(&me, key.id).await);
    assert!(world.control.keys(&me).await.unwrap().is_empty());
    assert_eq!(world.control.key(&theirs.owner, key.id).await.unwrap().revoked_at, None);

    let mine = world.control.admin_log(&me, None, 100).await.unwrap();
    assert_eq!(mine.events.len(), 1);
    let last = world.control.admin_log(&theirs.owner, None, 1).await.unwrap().events.remove(0);
    let before = world.control.admin_log(&me, Some(last.id), 100).await.unwrap();
    assert!(before.events.iter().all(|event| event.subject == "mine"));
    assert_eq!(world.control.organisation(&me).await.unwrap().servers, 0);
}
