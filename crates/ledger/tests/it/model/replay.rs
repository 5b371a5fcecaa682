//! The scripts against the model: random walks of it, each step made at a real Redis, each answer the same.

use std::time::Duration;

use ledger::{RedisTime, Settle, Settled};
use uuid::Uuid;
use vault::Entropy;

use super::protocol::{Answer, Call, Change, Epoch, Protocol, Step, World};
use crate::desk::{Desk, decision};

const WALKS: usize = 150;
const STEPS: usize = 60;
/// The model's clock counts these.
const TICK: Duration = Duration::from_secs(5);

fn name(change: usize) -> Uuid {
    Uuid::from_u128(change as u128 + 1)
}

/// A real Redis beside the model's.
struct Twin {
    desk: Desk,
    /// Redis' time of each gateway's last stale answer.
    told: [Option<RedisTime>; 2],
}

impl Twin {
    /// Makes the step that the model made in `world`, and says what a script answered.
    async fn step(&mut self, world: &World, step: Step) -> Option<Answer> {
        let (ledger, tenant) = (&self.desk.ledger, self.desk.tenant);
        // No two scripts run in one microsecond.
        self.desk.clock.advance(Duration::from_micros(1));
        match step {
            Step::Tick => self.desk.clock.advance(TICK),
            Step::Mark(at) => drop(ledger.mark(tenant, name(at)).await.unwrap()),
            Step::Withdraw(at) => ledger.withdraw(tenant, name(at)).await.unwrap(),
            Step::Publish(at) => {
                let Change::Committed { epoch, .. } = world.changes[at] else { panic!("nothing to publish") };
                ledger.publish(tenant, name(at), u64::from(epoch)).await.unwrap();
            }
            Step::Settle(at) => return Some(self.settle(world, at).await),
            Step::FailOver(epoch) => {
                self.desk.forget_marks().await;
                match epoch {
                    Epoch::Known(epoch) => self.desk.put_epoch(epoch).await,
                    Epoch::Missing | Epoch::Forgotten { .. } => self.desk.forget_epoch().await,
                }
            }
            Step::Forget => self.desk.forget_epoch().await,
            Step::Commit(_) | Step::Unpublished(_) | Step::Begin(_) | Step::Read(_) => {}
        }
        None
    }

    async fn settle(&mut self, world: &World, at: usize) -> Answer {
        let Call::Judged { by, fresh, .. } = world.gateways[at].call else { panic!("nothing to settle") };
        // The model counts its own connections; here there is one, and numbers before it are of those that were lost.
        let lost = u64::from(world.redis.generation - by.generation);
        let settle = Settle {
            tenant: self.desk.tenant,
            decision: decision(),
            epoch: u64::from(by.epoch),
            generation: self.desk.generation().wrapping_sub(lost),
            fresh: fresh.and(self.told[at]),
            charges: &[],
            record: b"{}",
        };
        match self.desk.ledger.settle(&settle).await.unwrap() {
            Settled::Stale { now, .. } => {
                self.told[at] = Some(now);
                Answer::Stale
            }
            Settled::Taken { cacheable, .. } => Answer::Taken { cacheable },
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_scripts_answer_as_the_model_does() {
    let protocol = Protocol { without: None, ends: 12, changes: 2 };
    let entropy = Entropy::seeded(11);
    let pick = |n: usize| usize::from(u16::from_le_bytes(entropy.bytes())) % n;
    let (mut taken, mut stale, mut uncached) = (0, 0, 0);
    for walk in 0..WALKS {
        let mut twin = Twin { desk: Desk::new().await, told: [None; 2] };
        let mut world = World::new(2);
        for at in 0..STEPS {
            let steps = protocol.steps(&world);
            let step = steps[pick(steps.len())];
            let (next, expected) = protocol.after(&world, step);
            let answer = twin.step(&world, step).await;
            assert_eq!(answer, expected, "walk {walk}, step {at}: {step:?} in {world:?}");
            match answer {
                Some(Answer::Stale) => stale += 1,
                Some(Answer::Taken { cacheable: true }) => taken += 1,
                Some(Answer::Taken { cacheable: false }) => uncached += 1,
                None => {}
            }
            world = next;
        }
    }
    assert!(taken > 100 && stale > 100 && uncached > 20, "{taken} taken, {stale} stale, {uncached} uncached");
}
