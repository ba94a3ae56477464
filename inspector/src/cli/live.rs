//! Commands with a screen: the picker and `attach`. Without a terminal they print instead.

use std::io::IsTerminal;

use super::{Exit, Failure, ask, locate};
use crate::net::{Address, SymbolsFrom};
use crate::report::Paint;
use crate::tui::{self, Options, Start};

/// Whether there is a screen to draw on and a keyboard to read. A terminal that says it is dumb shows lines alone.
pub(super) fn has_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && !is_dumb
}

pub(super) fn attach(target: &str, symbols: SymbolsFrom, paint: Paint) -> Result<Exit, Failure> {
    if has_terminal() {
        return screen(locate(target)?, symbols, paint);
    }
    let asked = ask::Report {
        format: super::Format::Text,
        time: None,
        limit: 20,
        fail_on: Vec::new(),
    };
    ask::report(target, symbols, &asked, paint)
}

/// Opens the screen on one target.
pub(super) fn screen(
    address: Address,
    symbols: SymbolsFrom,
    paint: Paint,
) -> Result<Exit, Failure> {
    open(Start::Attach(address), symbols, paint)
}

/// Opens the screen on the list of targets.
pub(super) fn pick(symbols: SymbolsFrom, paint: Paint) -> Result<Exit, Failure> {
    open(Start::Picker, symbols, paint)
}

fn open(start: Start, symbols: SymbolsFrom, paint: Paint) -> Result<Exit, Failure> {
    let options = Options {
        symbols,
        plain: !paint.is_on(),
    };
    Ok(Exit::Status(tui::run(start, options)?))
}
