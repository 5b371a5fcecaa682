//! Memory for what has to be held whole: an answer that may have to be rewritten, an event that has not ended. Each is
//! bounded by itself; here is the bound on all of them together.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of each that are not counted: plain answers are smaller, and their number is bounded by that of connections.
const FREE: usize = 64 * 1024;
/// What is counted in.
const UNIT: usize = 1024;

/// All the memory there is for it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Semaphore>);

/// The part of one answer; given back when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    budget: Budget,
    permit: Option<OwnedSemaphorePermit>,
}

/// Others hold too much now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS))))
    }

    /// A part of it, empty yet.
    pub fn hold(&self) -> Hold {
        Hold { budget: self.clone(), permit: None }
    }
}

impl Hold {
    /// Sees to it that so many bytes are covered. Nobody waits for others, who may wait for him: there is room, or not.
    pub fn cover(&mut self, bytes: usize) -> Result<(), Full> {
        let needed = bytes.saturating_sub(FREE).div_ceil(UNIT);
        let missing =
            needed.saturating_sub(self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| Full)?;
        let more = Arc::clone(&self.budget.0).try_acquire_many_owned(missing).map_err(|_| Full)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }

    /// Gives back what is beyond so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let needed = bytes.saturating_sub(FREE).div_ceil(UNIT);
        let Some(permit) = &mut self.permit else { return };
        let beyond = permit.num_permits().saturating_sub(needed);
        drop(permit.split(beyond));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_is_not_counted_and_what_is_given_back_can_be_had_again() {
        let budget = Budget::new(100 * UNIT);
        let (mut first, mut second) = (budget.hold(), budget.hold());
        assert_eq!(first.cover(FREE + 60 * UNIT), Ok(()));
        assert_eq!(second.cover(FREE), Ok(()));
        assert_eq!(second.cover(FREE + 41 * UNIT), Err(Full));
        assert_eq!(second.cover(FREE + 40 * UNIT), Ok(()));
        assert_eq!(first.cover(FREE + 60 * UNIT + 1), Err(Full));
        second.shrink(FREE + 39 * UNIT);
        assert_eq!(first.cover(FREE + 60 * UNIT + 1), Ok(()));
        drop(first);
        assert_eq!(second.cover(FREE + 100 * UNIT), Ok(()));
        assert_eq!(second.cover(usize::MAX), Err(Full));
    }
}
