//! The epoch protocol, checked: every path of the model, and the scripts against it.

mod protocol;
mod replay;

use stateright::{Checker as _, Model, Property};

use self::protocol::{Protocol, Rule, Step, World};

impl Model for Protocol {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.changes)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        steps.extend(self.steps(world));
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        Some(self.after(world, step).0)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no call is judged by an old state", |_, world: &World| !world.fault)]
    }
}

#[test]
fn no_path_lets_a_call_be_judged_by_an_old_state() {
    let checker = Protocol { without: None, ends: 2, changes: 2 }.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    assert!(checker.unique_state_count() > 500_000, "{} states", checker.unique_state_count());
}

/// What must be found lies on shorter paths than all that there are.
#[test]
fn every_rule_is_needed() {
    for rule in Rule::ALL {
        // That something is remembered too long takes long to show, but no second change.
        let (ends, changes) = match rule {
            Rule::Remembered => (7, 1),
            Rule::CommitsInTime | Rule::ClearsWhatRanOutBefore => (5, 1),
            _ => (2, 2),
        };
        let checker = Protocol { without: Some(rule), ends, changes }.checker().threads(2).spawn_bfs().join();
        assert!(
            checker.discovery("no call is judged by an old state").is_some(),
            "without {rule:?} the checker finds no fault in {} states",
            checker.unique_state_count()
        );
    }
}
