//! Which key does what, where: the one table that key presses, footers and help are made from.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    Down,
    Up,
    First,
    Last,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Fold,
    Unfold,
    Next,
    Previous,
    Open,
    Back,
    ShowTasks,
    ShowWarnings,
    ShowThreads,
    NextPane,
    PreviousPane,
    Filter,
    NextMatch,
    PreviousMatch,
    Export,
    GoTo,
    SortNext,
    SortPrevious,
    Reverse,
    Group,
    OnlyWarned,
    NextKind,
    Finished,
    Freeze,
    AllFrames,
    Wrap,
    Level,
    Abort,
    Stacks,
    TaskOf,
    Mute,
    ShowMuted,
    CopySite,
    CopyAll,
    Editor,
    Picker,
    Address,
    Rescan,
    RemoveStale,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// Where keys are pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    Picker,
    Tasks,
    Sites,
    Task,
    Warnings,
    /// One warning on the whole screen.
    Warning,
    Threads,
}

impl Place {
    pub const ALL: [Self; 7] = [
        Self::Picker,
        Self::Tasks,
        Self::Sites,
        Self::Task,
        Self::Warnings,
        Self::Warning,
        Self::Threads,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// As the title of the help says it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Picker => "choose a process",
            Self::Tasks => "tasks",
            Self::Sites => "spawn sites",
            Self::Task => "one task",
            Self::Warnings => "warnings",
            Self::Warning => "one warning",
            Self::Threads => "threads",
        }
    }
}

const PICKER: u8 = Place::Picker.bit();
const TASKS: u8 = Place::Tasks.bit();
const SITES: u8 = Place::Sites.bit();
const TASK: u8 = Place::Task.bit();
const WARNINGS: u8 = Place::Warnings.bit();
const WARNING: u8 = Place::Warning.bit();
const THREADS: u8 = Place::Threads.bit();
const ROWS: u8 = TASKS | SITES;
const TABS: u8 = ROWS | WARNINGS | THREADS;
const ATTACHED: u8 = TABS | TASK | WARNING;
const LISTS: u8 = PICKER | TABS;
const EVERYWHERE: u8 = PICKER | ATTACHED;

/// The columns of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Move,
    See,
    Act,
}

/// A key with its modifiers; shift is in the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub control: bool,
}

const fn ch(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        control: false,
    }
}

const fn ctrl(c: char) -> Key {
    Key {
        code: KeyCode::Char(c),
        control: true,
    }
}

const fn key(code: KeyCode) -> Key {
    Key {
        code,
        control: false,
    }
}

impl Key {
    /// As a keyboard labels it.
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "Enter".to_owned(),
            KeyCode::Esc => "Esc".to_owned(),
            KeyCode::Tab => "Tab".to_owned(),
            KeyCode::BackTab => "S-Tab".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Home => "Home".to_owned(),
            KeyCode::End => "End".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => format!("{other:?}"),
        };
        if self.control {
            format!("Ctrl-{name}")
        } else {
            name
        }
    }

    fn matches(self, event: KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        self.code == event.code && self.control == control && !alt
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub command: Command,
    pub keys: &'static [Key],
    places: u8,
    pub group: Group,
    /// What it does, for the help.
    pub help: &'static str,
    /// What the footer says, where it says it at all: the earlier in the table, the longer it stays.
    pub hint: Option<&'static str>,
}

const fn bind(
    command: Command,
    keys: &'static [Key],
    places: u8,
    group: Group,
    help: &'static str,
) -> Binding {
    Binding {
        command,
        keys,
        places,
        group,
        help,
        hint: None,
    }
}

impl Binding {
    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    pub const fn is_at(&self, place: Place) -> bool {
        self.places & place.bit() != 0
    }

    /// All its keys: `j ↓`.
    pub fn labels(&self) -> String {
        let labels: Vec<String> = self.keys.iter().map(|key| key.label()).collect();
        labels.join(" ")
    }
}

use Command as C;
use Group::{Act, Move, See};

/// Footers show hints in this order and cut at the width, so the table starts with what one needs first.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    bind(C::Back, &[key(KeyCode::Esc)], TASK | WARNING, Move, "back").hint("back"),
    bind(C::Back, &[key(KeyCode::Esc)], PICKER, Move, "stop connecting, clear the filter"),
    bind(C::Back, &[key(KeyCode::Esc)], TABS, Move, "back, clear the filter"),
    bind(C::Open, &[key(KeyCode::Enter)], PICKER, Act, "attach").hint("attach"),
    bind(C::Open, &[key(KeyCode::Enter)], TASKS, Act, "all about the task").hint("open"),
    bind(C::Open, &[key(KeyCode::Enter)], SITES, Act, "the tasks of the site").hint("tasks"),
    bind(C::Open, &[key(KeyCode::Enter)], WARNINGS, Act, "the whole warning, fold").hint("open"),
    bind(C::Open, &[key(KeyCode::Enter)], THREADS, Act, "the task it runs").hint("its task"),
    bind(C::Open, &[key(KeyCode::Enter)], TASK, Act, "the parent, or the warning").hint("its parent"),
    bind(C::TaskOf, &[ch('t')], WARNINGS | WARNING, Act, "the task it is about").hint("task"),
    bind(C::Stacks, &[ch('s')], THREADS, Act, "take all stacks now").hint("stacks"),
    bind(C::Address, &[ch('a')], PICKER, Act, "attach to an address").hint("address"),
    bind(C::Filter, &[ch('/')], LISTS, See, "filter").hint("filter"),
    bind(C::Group, &[ch('v')], ROWS, See, "by task, by spawn site").hint("group by site"),
    bind(C::SortPrevious, &[ch('<')], ROWS | THREADS, See, "sort by column before"),
    bind(C::SortNext, &[ch('>')], ROWS | THREADS, See, "sort by next column").hint("sort"),
    bind(C::Reverse, &[ch('r')], ROWS | THREADS, See, "reverse the order"),
    bind(C::OnlyWarned, &[ch('f')], ROWS, See, "only what has warnings").hint("only warned"),
    bind(C::NextKind, &[ch('f')], WARNINGS, See, "one kind, the next, all").hint("kind"),
    bind(C::Freeze, &[ch(' ')], ATTACHED, See, "freeze, resume").hint("freeze"),
    bind(C::Fold, &[ch('h'), key(KeyCode::Left)], WARNINGS, Move, "fold the kind"),
    bind(C::Unfold, &[ch('l'), key(KeyCode::Right)], WARNINGS, Move, "unfold the kind").hint("fold"),
    bind(C::Mute, &[ch('m')], WARNINGS | WARNING, Act, "mute this site").hint("mute"),
    bind(C::ShowMuted, &[ch('M')], WARNINGS, See, "show what is muted"),
    bind(C::Previous, &[ch('[')], TASK | WARNING, Move, "the one before"),
    bind(C::Next, &[ch(']')], TASK | WARNING, Move, "the next one").hint("next"),
    bind(C::AllFrames, &[ch('b')], TASK | WARNINGS | WARNING | THREADS, See, "all frames, or only yours").hint("frames"),
    bind(C::Wrap, &[ch('w')], TASK | WARNINGS | WARNING | THREADS, See, "wrap long lines").hint("wrap"),
    bind(C::Level, &[ch('L')], ATTACHED, Act, "level: quiet, debug").hint("level"),
    bind(C::Finished, &[ch('x')], TASKS, See, "finished tasks, or not").hint("finished"),
    bind(C::NextMatch, &[ch('n')], LISTS, Move, "next that matches the filter"),
    bind(C::PreviousMatch, &[ch('N')], LISTS, Move, "the match before"),
    bind(C::GoTo, &[ch(':')], TASKS | TASK, Move, "go to a task by its id").hint("go to id"),
    bind(C::Abort, &[ch('A')], TASKS | TASK, Act, "abort the task").hint("abort"),
    bind(C::Editor, &[ch('o')], ATTACHED, Act, "open in $EDITOR").hint("editor"),
    bind(C::CopySite, &[ch('y')], EVERYWHERE, Act, "copy its place").hint("copy"),
    bind(C::CopyAll, &[ch('Y')], EVERYWHERE, Act, "copy all told of it"),
    bind(C::Export, &[ch('e')], ATTACHED, Act, "write a report as JSON").hint("export"),
    bind(C::Rescan, &[ch('R')], PICKER, See, "look for processes again").hint("rescan"),
    bind(C::RemoveStale, &[ch('x')], PICKER, Act, "remove a stale socket").hint("remove stale"),
    bind(C::Picker, &[ch('P')], ATTACHED, Act, "another process").hint("processes"),
    bind(C::Down, &[ch('j'), key(KeyCode::Down)], EVERYWHERE, Move, "down"),
    bind(C::Up, &[ch('k'), key(KeyCode::Up)], EVERYWHERE, Move, "up"),
    bind(C::First, &[ch('g'), key(KeyCode::Home)], EVERYWHERE, Move, "first"),
    bind(C::Last, &[ch('G'), key(KeyCode::End)], EVERYWHERE, Move, "last"),
    bind(C::PageDown, &[key(KeyCode::PageDown), ctrl('f')], EVERYWHERE, Move, "page down"),
    bind(C::PageUp, &[key(KeyCode::PageUp), ctrl('b')], EVERYWHERE, Move, "page up"),
    bind(C::HalfDown, &[ctrl('d')], EVERYWHERE, Move, "half a page down"),
    bind(C::HalfUp, &[ctrl('u')], EVERYWHERE, Move, "half a page up"),
    bind(C::ShowTasks, &[ch('1')], ATTACHED, See, "tasks"),
    bind(C::ShowWarnings, &[ch('2')], ATTACHED, See, "warnings"),
    bind(C::ShowThreads, &[ch('3')], ATTACHED, See, "threads"),
    bind(C::NextPane, &[key(KeyCode::Tab)], TABS, Move, "next screen"),
    bind(C::PreviousPane, &[key(KeyCode::BackTab)], TABS, Move, "previous screen"),
    bind(C::NextPane, &[key(KeyCode::Tab)], TASK | WARNING, Move, "next part"),
    bind(C::PreviousPane, &[key(KeyCode::BackTab)], TASK | WARNING, Move, "previous part"),
    bind(C::Help, &[ch('?')], EVERYWHERE, See, "this help").hint("help"),
    bind(C::Redraw, &[ctrl('l')], EVERYWHERE, Act, "draw the screen again"),
    bind(C::Suspend, &[ctrl('z')], EVERYWHERE, Act, "suspend"),
    bind(C::Quit, &[ch('q'), ctrl('c')], EVERYWHERE, Act, "quit").hint("quit"),
];

/// The command of a key press at that place.
pub fn command(place: Place, event: KeyEvent) -> Option<Command> {
    BINDINGS
        .iter()
        .find(|binding| binding.is_at(place) && binding.keys.iter().any(|key| key.matches(event)))
        .map(|binding| binding.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        for place in Place::ALL {
            let mut seen: Vec<Key> = Vec::new();
            for binding in BINDINGS.iter().filter(|binding| binding.is_at(place)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{} twice at {place:?}", key.label());
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn help_and_quit_are_everywhere_with_their_usual_keys() {
        for place in Place::ALL {
            for (key, wanted) in [
                ('?', Command::Help),
                ('q', Command::Quit),
                ('j', Command::Down),
            ] {
                let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
                assert_eq!(command(place, event), Some(wanted));
            }
            let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
            assert_eq!(command(place, shifted), Some(Command::Last));
            let with_alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
            assert_eq!(command(place, with_alt), None);
        }
    }
}
