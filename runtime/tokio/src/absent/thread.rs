//! Threads without slots.

/// What a thread is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    Other,
    Worker,
    Blocking,
    Local,
}

/// The slot of a thread: there is none.
#[derive(Clone, Copy, Debug)]
pub enum Thread {}

impl Thread {
    pub fn number(&self) -> u32 {
        match *self {}
    }

    pub fn tid(&self) -> u32 {
        match *self {}
    }

    pub fn role(&self) -> Role {
        match *self {}
    }

    pub fn set_role(&self, _: Role, _: u16) {
        match *self {}
    }

    pub fn runtime(&self) -> u16 {
        match *self {}
    }

    pub fn parks(&self) -> Option<u64> {
        match *self {}
    }

    pub fn set_parked(&self, _: bool) {
        match *self {}
    }
}

#[inline]
pub fn current() -> Option<&'static Thread> {
    None
}

#[inline]
pub fn all() -> impl Iterator<Item = &'static Thread> {
    std::iter::empty()
}
