//! Where values belong: a thread, its token, and the mailbox it gets its values back by.

#![expect(unsafe_code, reason = "opens parcels, at home: see `owned`")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

use super::Parcel;

/// How many values were leaked because they were dropped on another thread after their own had ended.
///
/// Each of them had its `wrong_thread` warning.
pub fn leaked() -> u64 {
    LEAKED.load(Ordering::Relaxed)
}

static LEAKED: AtomicU64 = AtomicU64::new(0);

/// A thread, as its values know it.
pub(super) struct Home {
    token: u64,
    thread: Thread,
    /// Whether there is mail: keeps the owner from taking the lock for nothing. Only a hint; the lock decides.
    has_mail: AtomicBool,
    /// `None` once the thread has ended.
    mail: Mutex<Option<Vec<Parcel>>>,
}

thread_local! {
    /// This thread's token; 0: it made nothing yet. No destructor: known until the thread's last instruction.
    static TOKEN: Cell<u64> = const { Cell::new(0) };
    static RESIDENT: Resident = Resident(Arc::new(Home::new(Some(Vec::new()))));
}

/// Closes the mailbox when the thread ends.
struct Resident(Arc<Home>);

impl Drop for Resident {
    fn drop(&mut self) {
        let mail = self
            .0
            .mail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        open_all(mail.unwrap_or_default());
    }
}

impl Home {
    fn new(mail: Option<Vec<Parcel>>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut token = TOKEN.get();
        if token == 0 {
            token = NEXT.fetch_add(1, Ordering::Relaxed);
            TOKEN.set(token);
        }
        Self {
            token,
            thread: thread::current(),
            has_mail: AtomicBool::new(false),
            mail: Mutex::new(mail),
        }
    }

    /// This thread's. While the thread ends it has no mailbox any more: a home of its own, closed.
    pub(super) fn of_this_thread() -> Arc<Self> {
        let home = RESIDENT.try_with(|resident| Arc::clone(&resident.0));
        home.unwrap_or_else(|_| Arc::new(Self::new(None)))
    }

    /// Whether this thread is it.
    #[inline]
    pub(super) fn is_here(&self) -> bool {
        TOKEN.get() == self.token
    }

    pub(super) fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Drops what was sent here. The owner; cheap where there is nothing.
    #[inline]
    pub(super) fn open_mail(&self) {
        // Relaxed: a value that is missed now is dropped at the next call, or at the thread's end.
        if self.has_mail.load(Ordering::Relaxed) {
            self.open_mail_now();
        }
    }

    #[cold]
    fn open_mail_now(&self) {
        debug_assert!(self.is_here(), "mail is opened at home");
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_mail.store(false, Ordering::Relaxed);
        let parcels = mail.as_mut().map(std::mem::take).unwrap_or_default();
        // What is dropped may itself make, touch or drop values of this thread.
        drop(mail);
        open_all(parcels);
    }

    /// Takes a value that was dropped elsewhere. Where the thread has ended it is leaked, and counted.
    pub(super) fn send(&self, parcel: Parcel) {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *mail {
            Some(parcels) => {
                parcels.push(parcel);
                self.has_mail.store(true, Ordering::Relaxed);
            }
            None => {
                LEAKED.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Drops values that came home, each on its own: a panic in one is the value's, not of the call that happened to
/// open the mail; and at the end of a thread it would abort the process.
fn open_all(parcels: Vec<Parcel>) {
    for parcel in parcels {
        // SAFETY: called by the owner only: on a call that checked the token, or as its thread-local is destroyed.
        let _ = catch_unwind(AssertUnwindSafe(|| unsafe { parcel.open() }));
    }
}
