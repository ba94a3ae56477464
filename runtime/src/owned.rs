//! `Owned<T>`: a value that belongs to the thread that made it.
//!
//! # The protocol
//! `Owned<T>` is `Send` and `Sync` for every `T`: others may hold it, and only its thread may look inside.
//!
//! * **Who owns.** Each thread has a token: a number never given twice in a process, kept in a thread-local without
//!   a destructor, so that it can be asked for until the thread's last instruction. `Owned` keeps the token of the
//!   thread that made it (in its `Home`). The value and `borrows` are touched only after the tokens were found
//!   equal; all else in `Owned` is `Send + Sync` by itself.
//! * **How it is lent.** On its own thread it is a `RefCell` whose loans last for one closure: `borrows` counts the
//!   shared ones, -1 is the exclusive one. No reference leaves the closure.
//! * **How it ends.** Dropped on its thread the value is dropped. Dropped elsewhere its bytes are moved into a
//!   `Parcel` (moving bytes touches nothing in them) and the parcel goes to the mailbox of its home. Only the
//!   home's thread opens parcels. A parcel that is dropped unopened leaks its value, and is counted: no way leads
//!   to the value's `drop` on another thread.
//! * **`T: 'static`**: the value may live until its thread ends, however short the life of its `Owned` was.

#![expect(
    unsafe_code,
    reason = "values that are not Send are kept by what is: the protocol is above"
)]

mod home;
mod wrong_thread;

use std::any::type_name;
use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::Arc;

use crate::capture::registry::{self, Made};

use home::Home;
pub use home::leaked;
pub use wrong_thread::WrongThread;

/// A value that belongs to the thread that made it, and refuses all others.
///
/// It can be sent and shared whatever `T` is: an `Rc` in a multi-thread program, a connection whose library wants
/// one thread. Only the thread that made it gets at the value. From any other thread every call returns
/// [`WrongThread`] **before anything is touched**, at every level, off included; and unless the level is off a
/// `wrong_thread` warning says where the value was made and where it was touched.
///
/// Dropped on another thread the value is not dropped there: it is **sent home**, and dropped by its own thread at
/// that thread's next call of an `Owned`, or at its end. Where the thread has ended before, the value is leaked
/// rather than dropped where it does not belong: see [`leaked`].
///
/// Cost of a call: one thread-local load and a comparison. Size: the value and 40 bytes.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
/// use pollscope::Owned;
///
/// let names = Owned::new(Rc::new(vec!["settle", "refund"]));
/// assert_eq!(names.with(|names| names.len()), Ok(2));
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let refused = names.with(|names| names.len()).unwrap_err();
///         assert_eq!(refused.made_at.line(), names.made_at().line());
///         assert!(!names.is_here());
///     });
/// });
/// ```
pub struct Owned<T: 'static> {
    home: Arc<Home>,
    made: Made,
    made_at: &'static Location<'static>,
    /// Shared loans; -1: the exclusive one. The owner's.
    borrows: Cell<isize>,
    /// The owner's. Dropped by hand: on this thread or not at all.
    value: ManuallyDrop<UnsafeCell<T>>,
}

// SAFETY: `value` and `borrows` are touched only on the thread whose token is in `home`, `Drop` included; the other
// fields are `Send` and `Sync` by themselves.
unsafe impl<T: 'static> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T: 'static> Sync for Owned<T> {}

impl<T: 'static> Owned<T> {
    /// Makes a value that belongs to this thread.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let home = Home::of_this_thread();
        home.open_mail();
        let made_at = Location::caller();
        Self {
            home,
            made: registry::made::<T>(made_at),
            made_at,
            borrows: Cell::new(0),
            value: ManuallyDrop::new(UnsafeCell::new(value)),
        }
    }

    /// Lends the value to `f`.
    ///
    /// # Errors
    /// [`WrongThread`] on any thread but its own; `f` is not called.
    ///
    /// # Panics
    /// Inside [`with_mut`](Self::with_mut) of the same value, as a `RefCell` does.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> Result<R, WrongThread> {
        self.enter(Location::caller())?;
        let loan = Loan::shared(&self.borrows);
        // SAFETY: this is the owner's thread, and as `borrows` counts this loan no exclusive one begins in it.
        let value = unsafe { &*self.value.get() };
        let result = f(value);
        drop(loan);
        Ok(result)
    }

    /// Lends the value to `f`, to be changed.
    ///
    /// # Errors
    /// [`WrongThread`] on any thread but its own; `f` is not called.
    ///
    /// # Panics
    /// Inside [`with`](Self::with) or `with_mut` of the same value, as a `RefCell` does.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> Result<R, WrongThread> {
        self.enter(Location::caller())?;
        let loan = Loan::exclusive(&self.borrows);
        // SAFETY: this is the owner's thread, and as `borrows` has this loan no other begins in it.
        let value = unsafe { &mut *self.value.get() };
        let result = f(value);
        drop(loan);
        Ok(result)
    }

    /// Lends the value to `f` unless it is lent to be changed: [`with`](Self::with) for code that may be called back.
    ///
    /// `Ok(None)`, and `f` is not called, inside [`with_mut`](Self::with_mut) of the same value.
    ///
    /// # Errors
    /// [`WrongThread`] on any thread but its own; `f` is not called.
    #[track_caller]
    pub fn try_with<R>(&self, f: impl FnOnce(&T) -> R) -> Result<Option<R>, WrongThread> {
        self.enter(Location::caller())?;
        if self.borrows.get() < 0 {
            return Ok(None);
        }
        self.with(f).map(Some)
    }

    /// Lends the value to `f`, to be changed, unless it is lent already: [`with_mut`](Self::with_mut) for code that
    /// may be called back.
    ///
    /// `Ok(None)`, and `f` is not called, inside another loan of the same value.
    ///
    /// # Errors
    /// [`WrongThread`] on any thread but its own; `f` is not called.
    #[track_caller]
    pub fn try_with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> Result<Option<R>, WrongThread> {
        self.enter(Location::caller())?;
        if self.borrows.get() != 0 {
            return Ok(None);
        }
        self.with_mut(f).map(Some)
    }

    /// Takes the value out.
    ///
    /// # Errors
    /// On any thread but its own: itself, unchanged, and [`WrongThread`].
    #[track_caller]
    pub fn into_inner(self) -> Result<T, (Self, WrongThread)> {
        if let Err(refused) = self.enter(Location::caller()) {
            return Err((self, refused));
        }
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the value is taken once; on the owner's thread, and owned, so that no
        // loan of it lives.
        let value = unsafe { ManuallyDrop::take(&mut this.value) };
        // SAFETY: the only other field with a destructor, dropped once and not used after.
        unsafe { std::ptr::drop_in_place(&raw mut this.home) };
        Ok(value.into_inner())
    }

    /// Whether this is the thread the value belongs to. Asking is no misuse: nothing is reported.
    pub fn is_here(&self) -> bool {
        self.home.is_here()
    }

    /// Where it was made.
    pub fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// Lets the owner in, and drops what was sent home to it; refuses and reports all others.
    fn enter(&self, touched_at: &'static Location<'static>) -> Result<(), WrongThread> {
        if self.home.is_here() {
            self.home.open_mail();
            return Ok(());
        }
        wrong_thread::report(
            &self.home,
            self.made,
            type_name::<T>(),
            "touched",
            Some(touched_at),
        );
        Err(WrongThread {
            owner: self.home.thread().clone(),
            current: std::thread::current(),
            made_at: self.made_at,
            touched_at,
            type_name: type_name::<T>(),
        })
    }
}

impl<T: 'static> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: taken once, here or in `into_inner`, which keeps this from running. If this is another thread the
        // bytes are moved and nothing in them is looked at.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        if self.home.is_here() {
            drop(value);
            return;
        }
        // No level decides over soundness: sent home first, told after.
        self.home.send(Parcel::new(value.into_inner()));
        wrong_thread::report(&self.home, self.made, type_name::<T>(), "dropped", None);
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Owned<T> {
    /// The value on its own thread, unless it is lent to be changed; elsewhere whose it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_here() {
            let owner = wrong_thread::label(self.home.thread());
            return f
                .debug_tuple("Owned")
                .field(&format_args!("<of {owner}>"))
                .finish();
        }
        match self.try_with(|value| f.debug_tuple("Owned").field(value).finish()) {
            Ok(Some(result)) => result,
            _ => f
                .debug_tuple("Owned")
                .field(&format_args!("<lent>"))
                .finish(),
        }
    }
}

/// One loan of a value; over at its end, also by a panic.
struct Loan<'a>(&'a Cell<isize>);

impl<'a> Loan<'a> {
    #[track_caller]
    fn shared(borrows: &'a Cell<isize>) -> Self {
        assert!(
            borrows.get() >= 0,
            "this `Owned` is lent to be changed: `with` cannot be called inside `with_mut`"
        );
        borrows.set(borrows.get() + 1);
        Self(borrows)
    }

    #[track_caller]
    fn exclusive(borrows: &'a Cell<isize>) -> Self {
        assert!(
            borrows.get() == 0,
            "this `Owned` is lent already: `with_mut` cannot be called inside another loan"
        );
        borrows.set(-1);
        Self(borrows)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let now = self.0.get();
        self.0.set(if now < 0 { 0 } else { now - 1 });
    }
}

/// A value on its way home. Dropped unopened it leaks: it may not be dropped just anywhere.
struct Parcel(ManuallyDrop<Box<dyn Content>>);

/// Anything can be sent home.
trait Content {}
impl<T> Content for T {}

// SAFETY: between `new` and `open` nothing looks inside, and `open` may only be called at home.
unsafe impl Send for Parcel {}

impl Parcel {
    fn new<T: 'static>(value: T) -> Self {
        Self(ManuallyDrop::new(Box::new(value)))
    }

    /// Drops the value.
    ///
    /// # Safety
    /// On the thread that made the value.
    unsafe fn open(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }
}

#[cfg(test)]
mod tests;
