//! Who may do what: every changing operation refuses the role below the one it needs, before it looks at anything.

use control::{
    Actor, ApprovalRemark, Error, NewGrant, NewKey, NewPolicy, NewServer, OrganisationName, PolicyName,
    ProbeRequest, ProtocolChange, SavePolicy, ServerChange, ToolApproval,
};
use domain::Role::{self, Admin, Editor, Owner};
use domain::ServerId;
use vault::Entropy;

use crate::world::{PASSWORD, World, secret};

/// Nobody's.
fn id<T: From<uuid::Uuid>>() -> T {
    Entropy::seeded(9).id(crate::world::start())
}

/// What each operation says to this actor. Fields are empty and ids are nobody's: who may do it learns that.
async fn answers(world: &World, actor: &Actor) -> Vec<(Role, &'static str, Result<(), Error>)> {
    let control = &world.control;
    let text = String::new;
    let server: ServerId = id();
    let new_server =
        NewServer { name: text(), upstream_url: text(), headers: Vec::new(), catalogue_entry: None };
    let probe = ProbeRequest { upstream_url: text(), headers: Vec::new() };
    let grant = NewGrant { label: text(), identity: text(), policy_id: None, expires_at: None };
    let key = NewKey { label: text(), role: text(), expires_at: None };
    let policy = NewPolicy { name: text(), document: text() };
    let save = SavePolicy { expected_version: 1, document: text() };
    let name = PolicyName { name: text() };
    let organisation = OrganisationName { name: text() };
    let change = ServerChange::default();
    vec![
        (Owner, "rename organisation", control.rename_organisation(actor, &organisation).await.map(drop)),
        (Admin, "admin log", control.admin_log(actor, None, 1).await.map(drop)),
        (Admin, "create key", control.create_key(actor, &key).await.map(drop)),
        (Admin, "keys", control.keys(actor).await.map(drop)),
        (Admin, "key", control.key(actor, id()).await.map(drop)),
        (Admin, "revoke key", control.revoke_key(actor, id()).await.map(drop)),
        (Admin, "probe", control.probe(actor, &probe).await.map(drop)),
        (Admin, "register", control.register_server(actor, &new_server).await.map(drop)),
        (Admin, "update server", control.update_server(actor, server, &change).await.map(drop)),
        (
            Admin,
            "protocol",
            control.change_protocol(actor, server, &ProtocolChange::default()).await.map(drop),
        ),
        (Admin, "approve", control.approve_tools(actor, server, &ToolApproval::default()).await.map(drop)),
        (Admin, "delete server", control.delete_server(actor, server).await),
        (Admin, "reveal", control.reveal_grant(actor, id(), &secret(PASSWORD)).await.map(drop)),
        (
            Editor,
            "approve call",
            control.approve_call(actor, id(), &ApprovalRemark::default()).await.map(drop),
        ),
        (Editor, "refuse call", control.refuse_call(actor, id(), &ApprovalRemark::default()).await.map(drop)),
        (Editor, "refresh", control.refresh_tools(actor, server).await.map(drop)),
        (Editor, "create policy", control.create_policy(actor, server, &policy).await.map(drop)),
        (Editor, "save policy", control.save_policy(actor, id(), &save).await.map(drop)),
        (Editor, "rename policy", control.rename_policy(actor, id(), &name).await.map(drop)),
        (Editor, "delete policy", control.delete_policy(actor, id()).await),
        (Editor, "mint", control.mint_grant(actor, server, &grant).await.map(drop)),
        (Editor, "rotate", control.rotate_grant(actor, id()).await.map(drop)),
        (Editor, "revoke grant", control.revoke_grant(actor, id()).await.map(drop)),
        (Editor, "attach", control.attach_policy(actor, id(), None).await.map(drop)),
        (Editor, "expiry", control.set_grant_expiry(actor, id(), None).await.map(drop)),
    ]
}

#[tokio::test]
async fn each_operation_needs_its_role_and_no_more() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    for role in [Role::Viewer, Role::Editor, Role::Admin, Role::Owner] {
        let actor = world.with_role(&owner, role.as_str()).await;
        for (needs, operation, answer) in answers(&world, &actor).await {
            let refused = matches!(answer, Err(Error::Forbidden { needs: told }) if told == needs);
            assert_eq!(refused, role < needs, "{operation} by {role}: {answer:?}");
            assert!(refused || !matches!(answer, Err(Error::Forbidden { .. })), "{operation} by {role}");
        }
    }
}

#[tokio::test]
async fn a_viewer_sees_everything_but_secrets_and_who_changed_what() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await.id;
    let policy = world.policy(&owner, server, "p").await.summary.id;
    let grant = world.grant(&owner, server).await.grant.id;
    let viewer = world.with_role(&owner, "viewer").await;
    let control = &world.control;
    control.organisation(&viewer).await.unwrap();
    assert_eq!(control.servers(&viewer).await.unwrap().len(), 1);
    control.tools(&viewer, server).await.unwrap();
    control.policy(&viewer, policy, None).await.unwrap();
    control.policy_history(&viewer, policy).await.unwrap();
    control.propose_policy(&viewer, server).await.unwrap();
    control.policy_presets(&viewer, server).await.unwrap();
    control.grant(&viewer, grant).await.unwrap();
    assert_eq!(control.grants(&viewer, Some(server)).await.unwrap().len(), 1);
    assert!(!viewer.may(Role::Editor) && viewer.may(Role::Viewer));
}
