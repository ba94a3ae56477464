//! Reads the text out of errors: of types that are common enough to be known here, and of any type for `spawn!`.

use std::any::{Any, TypeId, type_name};
use std::error::Error;
use std::fmt::{Debug, Display};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::event::ErrorText;
use crate::capture::instrumented::{Describe, Read};

/// Longest text kept of one error, in bytes.
const LONGEST: usize = 1024;

/// Reads the outputs that are known by their type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known;

impl<T: 'static> Describe<T> for Known {
    #[inline]
    fn reader(self) -> Option<Read<T>> {
        known()
    }
}

/// How to read an output of type `T`, if it is one of those known: a `Result` of no value and a common error.
///
/// Stable Rust cannot ask whether a type has `Display`; but a few types are most of what programs return. The
/// comparisons are of constants: what is left of them is one pointer.
#[inline]
fn known<T: 'static>() -> Option<Read<T>> {
    macro_rules! one_of {
        ($($error:ty),+ $(,)?) => {
            $(if TypeId::of::<T>() == TypeId::of::<Result<(), $error>>() {
                return Some(|output| read::<T, $error>(output));
            })+
        };
    }
    one_of!(
        io::Error,
        String,
        &'static str,
        Box<dyn Error + Send + Sync>,
        Box<dyn Error + Send>,
        Box<dyn Error>,
        tokio::task::JoinError,
        tokio::time::error::Elapsed,
    );
    None
}

fn read<T: 'static, E: Display + Debug + 'static>(output: &T) -> ErrorText {
    let output: &dyn Any = output;
    match output.downcast_ref::<Result<(), E>>() {
        Some(Err(error)) => of_error(type_name::<T>(), Some(error), Some(error)),
        _ => of_error(type_name::<T>(), None, None),
    }
}

/// The text of an error of an output whose type has this name. Where formatting it panics there is no text.
pub(crate) fn of_error(
    type_name: &'static str,
    display: Option<&dyn Display>,
    debug: Option<&dyn Debug>,
) -> ErrorText {
    ErrorText {
        type_name,
        display: display.and_then(|display| text(format_args!("{display}"))),
        debug: debug.and_then(|debug| text(format_args!("{debug:?}"))),
    }
}

fn text(what: std::fmt::Arguments<'_>) -> Option<String> {
    let mut cut = Cut(String::new());
    // The program's own code runs here, in a drop: a panic of its must not become an abort of ours.
    let whole = catch_unwind(AssertUnwindSafe(|| std::fmt::write(&mut cut, what)));
    whole.is_ok().then_some(cut.0)
}

/// Takes text until it is full, and stops the writer then: nobody formats a gigabyte to be told its first kilobyte.
struct Cut(String);

impl std::fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut end = text.len().min(LONGEST - self.0.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push_str(&text[..end]);
        if end < text.len() {
            Err(std::fmt::Error)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_errors_are_read_and_others_are_not() {
        let describe = known::<Result<(), io::Error>>().expect("a known type");
        let text = describe(&Err(io::Error::other("no disk")));
        assert_eq!(text.display.as_deref(), Some("no disk"));
        assert!(text.debug.is_some_and(|debug| debug.contains("no disk")));
        assert_eq!(text.type_name, type_name::<Result<(), io::Error>>());
        let boxed = known::<Result<(), Box<dyn Error + Send + Sync>>>().expect("a known type");
        assert_eq!(
            boxed(&Err("plain".into())).display.as_deref(),
            Some("plain")
        );
        assert!(known::<Result<u8, io::Error>>().is_none());
        assert!(known::<()>().is_none());
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "ü".repeat(LONGEST);
        let text = of_error("T", Some(&long), None);
        assert_eq!(text.display.map(|text| text.len()), Some(LONGEST));
        let odd = format!("x{long}");
        let text = of_error("T", Some(&odd), None);
        assert_eq!(text.display.map(|text| text.len()), Some(LONGEST - 1));
    }

    #[test]
    fn a_panic_in_the_programs_formatting_stays_there() {
        struct Bad;
        impl Debug for Bad {
            fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                panic!("on purpose, by a test")
            }
        }
        assert_eq!(of_error("T", None, Some(&Bad)).debug, None);
    }
}
