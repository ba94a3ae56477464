//! What all clients of one door may make the server hold at a time, in bytes.
//!
//! A client that does not read holds what was made for it: the keys of its window, and a part on its way. Each holds
//! little; many of them would hold much, so that they share one amount. Who comes when it is used up is refused, and the
//! others keep what they have.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tonic::Status;

/// Bytes for the clients of one door: some hundred streams that stopped reading in the middle of a large answer.
const MAX_HELD: usize = 32 << 20;

/// An amount of memory that many share.
#[derive(Clone, Debug)]
pub(super) struct Memory(Arc<Amount>);

#[derive(Debug)]
struct Amount {
    most: usize,
    held: AtomicUsize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(MAX_HELD)
    }
}

impl Memory {
    pub(super) fn of(most: usize) -> Self {
        Self(Arc::new(Amount {
            most,
            held: AtomicUsize::new(0),
        }))
    }

    /// Takes nothing yet.
    pub(super) fn hold(&self) -> Held {
        Held {
            of: self.clone(),
            bytes: 0,
        }
    }

    /// Takes so much.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` where there is less left.
    pub(super) fn take(&self, bytes: usize) -> Result<Held, Status> {
        let mut held = self.hold();
        held.grow_to(bytes)?;
        Ok(held)
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

/// A part of the amount, until it is dropped.
#[derive(Debug)]
pub(super) struct Held {
    of: Memory,
    bytes: usize,
}

impl Held {
    /// Takes what is missing to so much; never gives back.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED` where there is less left; what is held stays.
    pub(super) fn grow_to(&mut self, bytes: usize) -> Result<(), Status> {
        let Some(more) = bytes.checked_sub(self.bytes) else {
            return Ok(());
        };
        let amount = &self.of.0;
        let fits = |held: usize| Some(held.checked_add(more)?).filter(|sum| *sum <= amount.most);
        let taken = amount
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        match taken {
            Ok(_) => {
                self.bytes = bytes;
                Ok(())
            }
            Err(_) => Err(Status::resource_exhausted(
                "too much waits here for viewers that do not read: close some, and ask again",
            )),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.of.0.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_comes_back_when_it_is_dropped() {
        let memory = Memory::of(100);
        let one = memory.take(60).expect("there is room");
        let mut two = memory.take(10).expect("there is room");
        let refused = memory.take(31).expect_err("there is not");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        two.grow_to(40).expect("the rest");
        two.grow_to(5).expect("it is held already");
        assert!(two.grow_to(41).is_err() && two.grow_to(usize::MAX).is_err());
        assert_eq!(memory.held(), 100);
        drop(one);
        assert_eq!(memory.held(), 40);
        drop(two);
        assert_eq!(memory.held(), 0);
    }
}
