//! Whether a value of any type is an `Err`, without a bound on the type.
//!
//! Stable Rust has no specialisation; but `type_name` tells a `Result` from other types, and the discriminant of a
//! `Result` hashes as 0 for `Ok` and 1 for `Err`, also where the layout has a niche. Neither is guaranteed, so both
//! are tested once at start on several layouts; where a test fails, plain `spawn` reports no lost errors.

use std::any::type_name;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;
use std::num::NonZeroU8;
use std::sync::OnceLock;

/// Catches the one number a discriminant hashes.
#[derive(Default)]
struct Catch(Option<u64>);

impl Hasher for Catch {
    fn finish(&self) -> u64 {
        self.0.unwrap_or(u64::MAX)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut number = [0; 8];
        let n = bytes.len().min(8);
        number[..n].copy_from_slice(&bytes[..n]);
        self.0 = Some(u64::from_le_bytes(number));
    }

    fn write_isize(&mut self, number: isize) {
        self.0 = Some(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = Some(number);
    }
}

/// Whether `T` is `Result<_, _>`.
#[inline]
fn is_result<T>() -> bool {
    type_name::<T>().starts_with("core::result::Result<")
}

fn second_variant<T>(value: &T) -> bool {
    let mut catch = Catch::default();
    discriminant(value).hash(&mut catch);
    catch.finish() == 1
}

/// Whether the value is an `Err`. Nothing for types that are not `Result`, a few instructions for those that are.
#[inline]
pub fn is_err<T>(value: &T) -> bool {
    is_result::<T>() && works() && second_variant(value)
}

/// Whether this toolchain behaves as described.
pub fn works() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        type Niche = Result<NonZeroU8, ()>;
        type Large = Result<[u64; 4], String>;
        is_result::<Niche>()
            && !is_result::<Option<Niche>>()
            && second_variant::<Niche>(&Err(()))
            && !second_variant::<Niche>(&NonZeroU8::new(1).ok_or(()))
            && second_variant::<Large>(&Err(String::new()))
            && !second_variant::<Large>(&Ok([1; 4]))
            && second_variant::<Result<(), Box<u8>>>(&Err(Box::new(1)))
            && !second_variant::<Result<(), Box<u8>>>(&Ok(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_any_layout_are_seen_and_nothing_else() {
        assert!(works());
        assert!(is_err(&Err::<(), _>(std::io::Error::other("x"))));
        assert!(!is_err(&Ok::<_, std::io::Error>(1)));
        assert!(!is_err(&Ok::<Result<(), ()>, ()>(Err(()))));
        assert!(!is_err(&Some(1)) && !is_err(&None::<u8>) && !is_err(&"core::result::Result<"));
    }
}
