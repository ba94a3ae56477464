//! Commands with a screen: the picker and `attach`. Without a terminal they print instead.

use std::io::IsTerminal;

use super::{Exit, Failure, ask, locate};
use crate::net::{Address, SymbolsFrom};
use crate::report::Paint;

/// Whether there is a screen to draw on and a keyboard to read.
pub(super) fn has_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
}

pub(super) fn attach(target: &str, symbols: SymbolsFrom, paint: Paint) -> Result<Exit, Failure> {
    if has_terminal() {
        return screen(locate(target)?, symbols);
    }
    let asked = ask::Report {
        json: false,
        time: None,
        limit: 20,
        fail_on: Vec::new(),
    };
    ask::report(target, symbols, &asked, paint)
}

/// Opens the screen on one target.
pub(super) fn screen(address: Address, symbols: SymbolsFrom) -> Result<Exit, Failure> {
    let asked = ask::Report {
        json: false,
        time: None,
        limit: 20,
        fail_on: Vec::new(),
    };
    ask::report(&address.to_string(), symbols, &asked, Paint::new(false))
}

/// Opens the screen on the list of targets.
pub(super) fn pick() -> Result<Exit, Failure> {
    super::ps::ps(false, Paint::new(false))
}
