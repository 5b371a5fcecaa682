//! No stale decision, ever: many change a tenant's configuration and many call on several gateways, in one process with one
//! monotonic clock. Each call must be decided by a state that was in force at some moment of it: not one that had been
//! replaced, and answered, before it started.
//!
//! All the while Redis is killed and started, the API is killed in the middle of changes, and epochs are deleted.

mod history;
mod world;

use std::time::Duration;

use testkit::Keeps;
use tokio::time::sleep;

use self::world::{Faults, World};

/// How long callers and writers go on under each kind of fault.
const PHASE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_decided_by_a_state_that_was_replaced_before_it_started() {
    let world = World::start(Keeps::Everything).await;
    world
        .run(async |faults: &Faults| {
            sleep(PHASE).await;
            faults.kill_redis_for(PHASE).await;
            faults.kill_control_for(PHASE).await;
            faults.delete_epochs_for(PHASE).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_where_redis_forgets_everything() {
    let world = World::start(Keeps::Nothing).await;
    world
        .run(async |faults: &Faults| {
            faults.kill_redis_for(PHASE).await;
            tokio::join!(
                faults.kill_redis_for(PHASE),
                faults.kill_control_for(PHASE),
                faults.delete_epochs_for(PHASE)
            );
        })
        .await;
}
