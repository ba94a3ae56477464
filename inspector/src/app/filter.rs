//! The filter line of a screen: what is typed, whether it was understood, and what it lets through.

use crossterm::event::{Event, KeyCode, KeyEvent};
use pollscope_proto::crates;
use pollscope_proto::filter::{Fields, Filter, NumberKey, TextKey, WordKey, contains_folded};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::model::{Found, Severity, SiteRow, TaskKind, Thread, Warning};

#[derive(Clone, Debug, Default)]
pub struct FilterLine {
    pub input: Input,
    pub editing: bool,
    /// The last text that was understood.
    pub filter: Filter,
    /// Why what is typed is not.
    pub error: Option<String>,
}

impl FilterLine {
    /// Edits the line. Says whether the filter changed.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        match event.code {
            KeyCode::Enter => {
                self.editing = false;
                false
            }
            KeyCode::Esc if self.input.value().is_empty() => {
                self.editing = false;
                false
            }
            KeyCode::Esc => self.clear(),
            _ => {
                self.input.handle_event(&Event::Key(event));
                self.parse()
            }
        }
    }

    pub fn paste(&mut self, text: &str) -> bool {
        for c in text.chars().filter(|c| !c.is_control()) {
            self.input.handle(tui_input::InputRequest::InsertChar(c));
        }
        self.parse()
    }

    /// Forgets the filter; says whether there was one.
    pub fn clear(&mut self) -> bool {
        self.editing = false;
        let had = !self.input.value().is_empty();
        self.input.reset();
        self.parse();
        had
    }

    fn parse(&mut self) -> bool {
        match self.input.value().parse::<Filter>() {
            Ok(filter) => {
                self.error = None;
                let changed = filter != self.filter;
                self.filter = filter;
                changed
            }
            Err(error) => {
                self.error = Some(error.to_string());
                false
            }
        }
    }

    /// Whether the line takes room on the screen.
    pub fn is_shown(&self) -> bool {
        self.editing || !self.input.value().is_empty()
    }
}

fn severity_word(severity: Option<Severity>) -> &'static str {
    match severity {
        None => "none",
        Some(Severity::Info) => "info",
        Some(Severity::Warn) => "warn",
        Some(Severity::Error) => "error",
    }
}

fn kind_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Task => "task",
        TaskKind::Local => "local",
        TaskKind::Blocking => "blocking",
        TaskKind::BlockOn => "block_on",
        TaskKind::Request => "request",
        TaskKind::Foreign => "foreign",
    }
}

impl Fields for SiteRow {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name => Some(&self.name),
            TextKey::Site => Some(&self.site.file),
            TextKey::Type => Some(&self.site.type_name),
            _ => None,
        }
    }

    fn word(&self, key: WordKey) -> &str {
        match key {
            WordKey::Kind => kind_word(self.site.kind),
            WordKey::Warned => severity_word(self.warned),
            _ => "none",
        }
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        match key {
            NumberKey::Age => self.age_ns.as_ref().map(|age| age.max),
            NumberKey::Busy => self.busy_ns,
            NumberKey::Max => self.poll_ns.as_ref().map(|poll| poll.max),
            NumberKey::Scheduled => self.scheduled_ns.as_ref().map(|wait| wait.max),
            NumberKey::Polls => Some(self.polls),
            NumberKey::Bytes => Some(self.live_bytes),
            NumberKey::Live => Some(self.live),
            NumberKey::Spawned => Some(self.spawned),
            NumberKey::Ended => Some(self.ended),
            _ => None,
        }
    }

    fn site_contains(&self, needle: &str) -> bool {
        contains_folded(&self.site.short(), needle)
    }

    fn is_of_crate(&self, name: &str) -> bool {
        crates::is_same(self.site.crate_name(), name)
    }
}

impl Fields for Thread {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name | TextKey::Thread => Some(&self.name),
            TextKey::Type => Some(&self.role),
            _ => None,
        }
    }

    fn word(&self, _: WordKey) -> &'static str {
        "none"
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        match key {
            NumberKey::Id => self.current_task,
            NumberKey::Thread => Some(u64::from(self.tid)),
            NumberKey::Runtime => self.runtime.map(u64::from),
            NumberKey::Current => self.current_task.map(|_| self.current_poll_ns),
            NumberKey::Polls => Some(self.polls),
            _ => None,
        }
    }
}

impl Fields for Warning {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name => Some(self.task.as_ref().map_or("", |task| &task.name)),
            TextKey::Type => Some(self.kind.as_str()),
            TextKey::Span => Some(&self.message),
            TextKey::Thread => self.observed.thread.as_ref().map(|thread| &*thread.name),
            _ => None,
        }
    }

    fn word(&self, key: WordKey) -> &str {
        match key {
            WordKey::Warned => severity_word(Some(self.severity)),
            _ => "none",
        }
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        match key {
            NumberKey::Id => self.task.as_ref().map(|task| task.id),
            NumberKey::Max => self.worst_ns.or(self.wall_ns),
            _ => None,
        }
    }

    fn site_contains(&self, needle: &str) -> bool {
        [&self.site, &self.created.site, &self.observed.site]
            .into_iter()
            .flatten()
            .any(|site| contains_folded(&site.short(), needle))
    }

    /// What it is about, or where it went wrong.
    fn is_of_crate(&self, name: &str) -> bool {
        [&self.site, &self.created.site, &self.observed.site]
            .into_iter()
            .flatten()
            .any(|site| crates::is_same(site.crate_name(), name))
    }
}

impl Fields for Found {
    fn text(&self, key: TextKey) -> Option<&str> {
        match key {
            TextKey::Name => Some(&self.name),
            TextKey::Site => Some(&self.address),
            TextKey::Type => Some(&self.exe),
            TextKey::Span => Some(&self.user),
            _ => None,
        }
    }

    fn word(&self, _: WordKey) -> &'static str {
        "none"
    }

    fn number(&self, key: NumberKey) -> Option<u64> {
        match key {
            NumberKey::Id => self.pid.map(u64::from),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    fn typed(line: &mut FilterLine, text: &str) -> bool {
        let mut changed = false;
        for c in text.chars() {
            changed |= line.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        changed
    }

    #[test]
    fn a_text_that_is_not_understood_leaves_the_last_filter_and_says_why() {
        let mut line = FilterLine::default();
        assert!(typed(&mut line, "state:idle"));
        let understood = line.filter.clone();
        typed(&mut line, " bsy>1s");
        assert!(line.error.is_some());
        assert!(!understood.is_empty());
        line.clear();
        assert!(line.filter.is_empty() && line.error.is_none() && !line.is_shown());
    }

    #[test]
    fn a_paste_brings_no_control_characters() {
        let mut line = FilterLine::default();
        line.paste("sett\u{1b}le\n");
        assert_eq!(line.input.value(), "settle");
    }

    #[test]
    fn sites_are_found_by_their_line() {
        let mut row = SiteRow::default();
        row.site.file = "src/Checkout.rs".to_owned();
        row.site.line = 118;
        let filter: Filter = "checkout.rs:118".parse().unwrap();
        assert!(filter.matches(&row));
        let filter: Filter = "checkout.rs:12".parse().unwrap();
        assert!(!filter.matches(&row));
    }

    #[test]
    fn sites_are_found_by_their_crate() {
        let mut row = SiteRow::default();
        row.site.file = "crates/http-server/src/lib.rs".to_owned();
        let matches = |row: &SiteRow, text: &str| text.parse::<Filter>().unwrap().matches(row);
        assert!(matches(&row, "crate:http_server"));
        row.site.type_name = "my_orders::settle::{{closure}}".to_owned();
        assert!(matches(&row, "crate:my-orders"));
        assert!(!matches(&row, "crate:orders") && !matches(&row, "crate:http-server"));
    }
}
