//! Where there are no stacks: the same names, and every answer is "not available".

use std::sync::Arc;

use super::{
    Capabilities, LiveStack, MAX_FRAMES, Marks, Missed, ModuleInfo, Options, Sample, ThreadDump,
};

/// Does nothing here.
pub fn init() {}

/// Finds no frames here.
pub fn capture(_frames: &mut [usize; MAX_FRAMES], _skip: usize) -> usize {
    0
}

/// Finds no module here.
pub fn locate(_frame: usize) -> Option<(u32, u64)> {
    None
}

/// Finds no function here.
pub fn function_start(_frame: usize) -> Option<usize> {
    None
}

/// Knows no modules here.
pub fn modules() -> Vec<ModuleInfo> {
    Vec::new()
}

/// Never finds anything new here.
pub fn refresh_modules() -> bool {
    false
}

/// Finds no threads here.
pub fn census(_most: usize, _left_out: &[i32]) -> Vec<(i32, Sample)> {
    Vec::new()
}

/// A thread nobody can look at.
#[derive(Debug)]
pub struct ThreadHandle {
    marks: Marks,
}

impl ThreadHandle {
    /// Opens nothing here.
    pub fn current(marks: Marks) -> Self {
        Self { marks }
    }

    /// Not known here.
    pub fn tid(&self) -> i32 {
        0
    }

    /// All zero here.
    pub fn sample(&self) -> Sample {
        Sample::default()
    }

    /// What the thread publishes about itself.
    pub fn marks(&self) -> Marks {
        self.marks
    }
}

/// Takes no stacks here.
#[derive(Debug)]
pub struct Live {
    options: Options,
}

impl Live {
    /// Costs nothing here.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Which ways were asked for.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Changes which ways are asked for.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// Always [`Missed::Unavailable`] here.
    pub fn capture(
        &mut self,
        _handle: &ThreadHandle,
        _still: impl FnMut() -> bool,
    ) -> Result<LiveStack, Missed> {
        Err(Missed::Unavailable)
    }

    /// Finds that nothing works here.
    pub fn self_test(&mut self) -> Capabilities {
        Capabilities {
            peek: false,
            signal: false,
            why_not: Missed::Unavailable.to_string(),
        }
    }

    /// Finds no threads here.
    pub fn all_threads(&mut self, _registered: &[Arc<ThreadHandle>]) -> Vec<ThreadDump> {
        Vec::new()
    }
}
