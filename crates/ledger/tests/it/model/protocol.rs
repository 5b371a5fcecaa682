//! The epoch protocol as a state machine: changes, gateways that remember, a Redis that fails over or forgets, and time. Any
//! step may be the last of whoever makes it, so every crash is among the paths. One tick of the clock is five seconds.

/// A change commits within this of its mark.
const COMMIT: u8 = 1;
/// A mark stands for this.
const STANDS: u8 = 2;
/// A gateway remembers for this; in truth for a minute.
const REMEMBERED: u8 = 3;

/// What the protocol rests on. The checker is run without each of them in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A change marks itself before it commits.
    MarksFirst,
    /// It commits while its mark stands, or not at all.
    CommitsInTime,
    /// Before it is answered, it raises the epoch.
    Publishes,
    /// The epoch never falls.
    NeverFalls,
    /// What is remembered is good at its own epoch alone.
    EqualEpoch,
    /// What is remembered is not used while a mark stands.
    NoMark,
    /// Only marks that had run out before the state was read are cleared by it.
    ClearsWhatRanOutBefore,
    /// What was read before this connection stood is good for nothing.
    SameConnection,
    /// Nothing is remembered for ever.
    Remembered,
    /// What was read before Redis forgot the epoch is good for nothing.
    KnowsThatItForgot,
}

impl Rule {
    pub const ALL: [Self; 10] = [
        Self::MarksFirst,
        Self::CommitsInTime,
        Self::Publishes,
        Self::NeverFalls,
        Self::EqualEpoch,
        Self::NoMark,
        Self::ClearsWhatRanOutBefore,
        Self::SameConnection,
        Self::Remembered,
        Self::KnowsThatItForgot,
    ];
}

/// The tenant's epoch as Redis has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Epoch {
    Missing,
    /// Forgotten, and known to be; with what was published since.
    Forgotten {
        published: u8,
    },
    Known(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Redis {
    pub generation: u8,
    pub epoch: Epoch,
    /// When the mark of each change runs out.
    pub marks: [Option<u8>; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    Idle,
    Marked { at: u8, generation: u8 },
    Committed { epoch: u8, generation: u8 },
    Ended,
}

/// Redis' time of a stale answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    at: u8,
    /// Redis has found out since that it forgot the epoch. Its clock tells: no two scripts run in one microsecond.
    outdated: bool,
}

/// What a gateway has read, or remembers of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    pub epoch: u8,
    pub generation: u8,
    read_at: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    None,
    /// Judged; `wrong` if by a state that it must not be judged by.
    Judged {
        by: Snapshot,
        fresh: Option<Told>,
        wrong: bool,
    },
    /// Told that it was stale.
    Stale {
        told: Told,
        generation: u8,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gateway {
    /// With the time since which it is.
    memory: Option<(Snapshot, u8)>,
    pub call: Call,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: u8,
    /// The epoch in Postgres, and when each was committed.
    pub committed: u8,
    committed_at: [u8; 3],
    /// The greatest that was answered.
    answered: u8,
    pub redis: Redis,
    pub changes: [Change; 2],
    pub gateways: [Gateway; 2],
    /// How often Redis may still fail over or forget.
    mishaps: u8,
    /// A call was let through by a state that it must not be judged by.
    pub fault: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Tick,
    Mark(usize),
    Withdraw(usize),
    Commit(usize),
    Publish(usize),
    /// Redis does not answer, though the mark is there: the change is answered without.
    Unpublished(usize),
    Begin(usize),
    Read(usize),
    Settle(usize),
    /// To a Redis that lost all marks, and has this epoch.
    FailOver(Epoch),
    /// The epoch's key is deleted.
    Forget,
}

/// What the script answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Stale,
    Taken { cacheable: bool },
}

/// The protocol, less one rule if that is asked for.
#[derive(Clone, Debug)]
pub struct Protocol {
    pub without: Option<Rule>,
    /// When the clock stops.
    pub ends: u8,
    /// How many changes there are: 1 or 2.
    pub changes: usize,
}

impl World {
    pub fn new(changes: usize) -> Self {
        let gateway = Gateway { memory: None, call: Call::None };
        Self {
            now: 1,
            committed: 1,
            committed_at: [1; 3],
            answered: 1,
            redis: Redis { generation: 1, epoch: Epoch::Known(1), marks: [None; 2] },
            changes: std::array::from_fn(|at| if at < changes { Change::Idle } else { Change::Ended }),
            gateways: [gateway.clone(), gateway],
            mishaps: 1,
            fault: false,
        }
    }
}

impl Protocol {
    fn holds(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// The steps that can be made, of those that change anything.
    pub fn steps(&self, world: &World) -> Vec<Step> {
        let mut steps = Vec::new();
        if world.fault {
            return steps;
        }
        if world.now < self.ends {
            steps.push(Step::Tick);
        }
        for (at, change) in world.changes.iter().enumerate() {
            match *change {
                Change::Idle => steps.push(Step::Mark(at)),
                Change::Marked { at: marked, .. } => {
                    steps.push(Step::Withdraw(at));
                    if world.now <= marked + COMMIT || !self.holds(Rule::CommitsInTime) {
                        steps.push(Step::Commit(at));
                    }
                }
                Change::Committed { generation, .. } => {
                    steps.push(Step::Publish(at));
                    if generation == world.redis.generation {
                        steps.push(Step::Unpublished(at));
                    }
                }
                Change::Ended => {}
            }
        }
        for (at, gateway) in world.gateways.iter().enumerate() {
            steps.push(match gateway.call {
                Call::None => Step::Begin(at),
                Call::Judged { .. } => Step::Settle(at),
                Call::Stale { .. } => Step::Read(at),
            });
        }
        if world.mishaps > 0 {
            steps.extend([Step::FailOver(Epoch::Missing), Step::Forget]);
            if let Epoch::Known(epoch) = world.redis.epoch {
                steps.extend((1..=epoch).map(|epoch| Step::FailOver(Epoch::Known(epoch))));
            }
        }
        steps
    }

    /// The world after a step, and what the script answered if it was one of a call.
    pub fn after(&self, world: &World, step: Step) -> (World, Option<Answer>) {
        let mut next = world.clone();
        let mut answer = None;
        match step {
            Step::Tick => next.now += 1,
            Step::Mark(at) => {
                next.changes[at] = Change::Marked { at: next.now, generation: next.redis.generation };
                if self.holds(Rule::MarksFirst) {
                    next.redis.marks[at] = Some(next.now + STANDS);
                }
            }
            Step::Withdraw(at) => {
                next.redis.marks[at] = None;
                next.changes[at] = Change::Ended;
            }
            Step::Commit(at) => {
                if let Change::Marked { generation, .. } = world.changes[at] {
                    next.committed += 1;
                    next.committed_at[usize::from(next.committed) - 1] = next.now;
                    next.changes[at] = Change::Committed { epoch: next.committed, generation };
                }
            }
            Step::Publish(at) | Step::Unpublished(at) => {
                if let Change::Committed { epoch, .. } = world.changes[at] {
                    if step == Step::Publish(at) {
                        self.publish(&mut next, at, epoch);
                    }
                    next.answered = next.answered.max(epoch);
                    next.changes[at] = Change::Ended;
                }
            }
            Step::Begin(at) => self.begin(&mut next, at),
            Step::Read(at) => {
                if let Call::Stale { told, generation } = world.gateways[at].call {
                    let by = Snapshot { epoch: next.committed, generation, read_at: next.now };
                    next.gateways[at].call = Call::Judged { by, fresh: Some(told), wrong: false };
                }
            }
            Step::Settle(at) => answer = self.end(&mut next, at),
            Step::FailOver(epoch) => {
                next.mishaps -= 1;
                next.redis = Redis { generation: next.redis.generation + 1, epoch, marks: [None; 2] };
            }
            Step::Forget => {
                next.mishaps -= 1;
                next.redis.epoch = Epoch::Missing;
            }
        }
        (next, answer)
    }

    fn publish(&self, world: &mut World, at: usize, epoch: u8) {
        world.redis.marks[at] = None;
        if !self.holds(Rule::Publishes) {
            return;
        }
        world.redis.epoch = match world.redis.epoch {
            Epoch::Known(known) if known >= epoch && self.holds(Rule::NeverFalls) => Epoch::Known(known),
            Epoch::Missing if self.holds(Rule::KnowsThatItForgot) => {
                outdate(&mut world.gateways);
                Epoch::Forgotten { published: epoch }
            }
            Epoch::Forgotten { published } => Epoch::Forgotten { published: published.max(epoch) },
            Epoch::Known(_) | Epoch::Missing => Epoch::Known(epoch),
        };
    }

    fn begin(&self, world: &mut World, at: usize) {
        let good = |(memory, since): &(Snapshot, u8)| {
            (memory.generation == world.redis.generation || !self.holds(Rule::SameConnection))
                && (world.now <= since + REMEMBERED || !self.holds(Rule::Remembered))
        };
        let read =
            Snapshot { epoch: world.committed, generation: world.redis.generation, read_at: world.now };
        world.gateways[at].call = match world.gateways[at].memory.filter(good) {
            Some((memory, since)) => {
                let newer = usize::from(memory.epoch);
                let slowness = since - memory.read_at;
                let outlived = memory.epoch < world.committed
                    && world.now > world.committed_at[newer] + REMEMBERED + slowness;
                Call::Judged { by: memory, fresh: None, wrong: memory.epoch < world.answered || outlived }
            }
            None => Call::Judged { by: read, fresh: None, wrong: false },
        };
    }

    fn end(&self, world: &mut World, at: usize) -> Option<Answer> {
        let Call::Judged { by, wrong, .. } = world.gateways[at].call else { return None };
        if world.redis.epoch == Epoch::Missing && self.holds(Rule::KnowsThatItForgot) {
            world.redis.epoch = Epoch::Forgotten { published: 0 };
            outdate(&mut world.gateways);
        }
        // Whoever was outdated by this very call is also told anew by it.
        let Call::Judged { fresh, .. } = world.gateways[at].call else { return None };
        let answer = self.settle(world, by, fresh);
        match answer {
            Answer::Stale => {
                let told = Told { at: world.now, outdated: false };
                world.gateways[at].call = Call::Stale { told, generation: world.redis.generation };
            }
            Answer::Taken { cacheable } => {
                world.fault |= wrong;
                world.gateways[at].call = Call::None;
                let newer = |(memory, _): (Snapshot, u8)| {
                    memory.generation >= by.generation && memory.epoch > by.epoch
                };
                if cacheable && !world.gateways[at].memory.is_some_and(newer) {
                    let known = world.gateways[at].memory.filter(|(memory, _)| *memory == by);
                    world.gateways[at].memory = Some(known.unwrap_or((by, world.now)));
                }
            }
        }
        Some(answer)
    }

    /// What `settle.lua` does, but for noting that the epoch was forgotten.
    fn settle(&self, world: &mut World, by: Snapshot, fresh: Option<Told>) -> Answer {
        let now = world.now;
        let redis = &mut world.redis;
        if by.generation != redis.generation && self.holds(Rule::SameConnection) {
            return Answer::Stale;
        }
        let Some(fresh) = fresh else {
            let equal = redis.epoch == Epoch::Known(by.epoch) || !self.holds(Rule::EqualEpoch);
            let marked = redis.marks.iter().any(Option::is_some) && self.holds(Rule::NoMark);
            return if equal && !marked { Answer::Taken { cacheable: true } } else { Answer::Stale };
        };
        let behind = match redis.epoch {
            Epoch::Forgotten { published } => fresh.outdated || by.epoch < published,
            Epoch::Known(epoch) => by.epoch < epoch && self.holds(Rule::NeverFalls),
            Epoch::Missing => false,
        };
        // Two seconds are less than a tick.
        if behind || fresh.at != now {
            return Answer::Stale;
        }
        let read_after = if self.holds(Rule::ClearsWhatRanOutBefore) { fresh.at } else { u8::MAX };
        for mark in &mut redis.marks {
            *mark = mark.filter(|runs_out| *runs_out > read_after);
        }
        redis.epoch = Epoch::Known(by.epoch);
        Answer::Taken { cacheable: redis.marks.iter().all(Option::is_none) }
    }
}

/// What was read until now was read before Redis found out.
fn outdate(gateways: &mut [Gateway; 2]) {
    for gateway in gateways {
        match &mut gateway.call {
            Call::Judged { fresh: Some(told), .. } | Call::Stale { told, .. } => told.outdated = true,
            Call::Judged { .. } | Call::None => {}
        }
    }
}
