//! The admin log: pages of who changed what.

use crate::world::World;

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    for n in 0..7 {
        world.minutes(1);
        world.policy(&owner, server.id, &format!("p{n}")).await;
    }
    let (mut seen, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = world.control.admin_log(&owner, before, 3).await.unwrap();
        pages += 1;
        assert!(page.events.len() <= 3);
        seen.extend(page.events.into_iter().map(|event| (event.at, event.action, event.subject)));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0));
    let subjects: Vec<_> = seen.iter().map(|(_, _, subject)| subject.as_str()).collect();
    assert_eq!(subjects, ["p6", "p5", "p4", "p3", "p2", "p1", "p0", "one", "acme"]);
}

#[tokio::test]
async fn an_entry_says_who_as_they_were_called_then() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let admin = world.with_role(&owner, "admin").await;
    world.server(&admin, "one").await;
    let event = world.control.admin_log(&owner, None, 1).await.unwrap().events.remove(0);
    assert_eq!((event.actor_kind.as_str(), event.actor.as_str()), ("key", "API key admin"));
    assert_eq!((event.action.as_str(), event.subject.as_str()), ("server.register", "one"));
    assert_eq!(event.details["state"], "down");
    let page = world.control.admin_log(&owner, None, 0).await.unwrap();
    assert_eq!(page.events.len(), 1, "a page holds at least one");
}
