//! Drives the real binaries, as a user would: builds them once, starts programs, asks the inspector, and reads
//! its screen.

mod build;
mod container;
mod input;
mod program;
mod screen;
mod threads;
mod user;

pub use build::inspector;
pub use container::{Container, Shm};
pub use input::end_of_input;
pub use program::{Output, Program, Room, wait_until};
pub use screen::Screen;
pub use threads::Use;
pub use user::User;
