//! Warnings under the headings of their kinds, newest kind first; folds and mutes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use pollscope_proto::filter::Filter;

use super::list::{List, Row};
use crate::model::{Severity, Site, Warning, WarningKind};

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Kind(KindRow),
    One(Box<Warning>),
}

/// The heading of a kind: what its warnings come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRow {
    pub kind: WarningKind,
    pub severity: Severity,
    pub sites: usize,
    pub count: u64,
    pub tasks: u64,
    pub last_ns: u64,
    pub worst_ns: Option<u64>,
    pub live: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineKey {
    Kind(WarningKind),
    One(u32),
}

impl Row for Line {
    type Key = LineKey;

    fn key(&self) -> LineKey {
        match self {
            Self::Kind(row) => LineKey::Kind(row.kind.clone()),
            Self::One(warning) => LineKey::One(warning.id),
        }
    }
}

impl Line {
    pub fn kind(&self) -> &WarningKind {
        match self {
            Self::Kind(row) => &row.kind,
            Self::One(warning) => &warning.kind,
        }
    }
}

/// What a mute names: warnings of this kind at this place.
type Muted = (WarningKind, String);

#[derive(Clone, Debug, Default)]
pub struct Warnings {
    pub list: List<Line>,
    rules: Rules,
}

/// What of the warnings is shown.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    folded: HashSet<WarningKind>,
    muted: HashSet<Muted>,
    show_muted: bool,
    /// No other kind than this.
    only: Option<WarningKind>,
}

/// The place a warning is about: where it was seen, else where it began.
pub fn place(warning: &Warning) -> Option<&Site> {
    [&warning.site, &warning.observed.site, &warning.created.site]
        .into_iter()
        .flatten()
        .find(|site| !site.file.is_empty())
}

fn mute_key(warning: &Warning) -> Muted {
    let place = place(warning).map(Site::short).unwrap_or_default();
    (warning.kind.clone(), place)
}

impl Warnings {
    pub fn replace(&mut self, warnings: Vec<Warning>, filter: &Filter, hold: bool) {
        let kinds = headings(&warnings);
        let mut lines: Vec<Line> = kinds.into_values().map(Line::Kind).collect();
        lines.extend(
            warnings
                .into_iter()
                .map(|warning| Line::One(Box::new(warning))),
        );
        let rules = &self.rules;
        self.list
            .replace(lines, hold, |lines| arrange(lines, filter, rules));
    }

    fn rearrange(&mut self, filter: &Filter) {
        let rules = &self.rules;
        self.list.rearrange(|lines| arrange(lines, filter, rules));
    }

    /// After a change of the filter.
    pub fn refilter(&mut self, filter: &Filter) {
        self.rearrange(filter);
    }

    /// Folds or unfolds the kind under the cursor; the cursor goes to the heading.
    pub fn fold(&mut self, fold: bool, filter: &Filter) -> bool {
        let Some(kind) = self.list.selected().map(|line| line.kind().clone()) else {
            return false;
        };
        let changed = if fold {
            self.rules.folded.insert(kind.clone())
        } else {
            self.rules.folded.remove(&kind)
        };
        if fold {
            self.list.select(&LineKey::Kind(kind));
        }
        if changed {
            self.rearrange(filter);
        }
        changed
    }

    pub fn is_folded(&self, kind: &WarningKind) -> bool {
        self.rules.folded.contains(kind)
    }

    /// Mutes the place of the warning under the cursor, or lets it speak again. Says what it did.
    pub fn toggle_mute(&mut self, filter: &Filter) -> Option<String> {
        let key = mute_key(self.selected()?);
        let text = if self.rules.muted.remove(&key) {
            format!("{} at {} is shown again", key.0.as_str(), key.1)
        } else {
            let text = format!(
                "muted {} at {} for this session; M shows it",
                key.0.as_str(),
                key.1
            );
            self.rules.muted.insert(key);
            text
        };
        self.rearrange(filter);
        Some(text)
    }

    pub fn toggle_show_muted(&mut self, filter: &Filter) {
        self.rules.show_muted = !self.rules.show_muted;
        self.rearrange(filter);
    }

    /// Only the next of the kinds there are; after the last all of them again. Says what is shown.
    pub fn next_kind(&mut self, filter: &Filter) -> String {
        let kinds: BTreeSet<&WarningKind> = self.all().map(|warning| &warning.kind).collect();
        let only = match &self.rules.only {
            None => kinds.first().copied(),
            Some(only) => kinds.into_iter().find(|kind| *kind > only),
        };
        self.rules.only = only.cloned();
        self.rearrange(filter);
        match &self.rules.only {
            Some(kind) => format!("only {}; f goes on to the next kind", kind.title()),
            None => "all kinds".to_owned(),
        }
    }

    /// The kind that alone is shown, if one is.
    pub fn only(&self) -> Option<&WarningKind> {
        self.rules.only.as_ref()
    }

    pub fn shows_muted(&self) -> bool {
        self.rules.show_muted
    }

    pub(super) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Takes over what another list showed, for the next rows that come.
    pub(super) fn keep_rules(&mut self, rules: Option<Rules>) {
        self.rules = rules.unwrap_or_default();
    }

    pub fn is_muted(&self, warning: &Warning) -> bool {
        self.rules.muted.contains(&mute_key(warning))
    }

    pub fn muted(&self) -> usize {
        self.rules.muted.len()
    }

    /// The warning under the cursor, if it is not a heading.
    pub fn selected(&self) -> Option<&Warning> {
        match self.list.selected()? {
            Line::One(warning) => Some(warning),
            Line::Kind(_) => None,
        }
    }

    /// The warning to tell about: the one under the cursor, or the first below its heading.
    pub fn told(&self) -> Option<&Warning> {
        match self.list.selected()? {
            Line::One(warning) => Some(warning),
            Line::Kind(row) => self
                .all()
                .filter(|warning| warning.kind == row.kind && !self.is_muted(warning))
                .max_by_key(|warning| (warning.live, warning.last_ns)),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Warning> {
        self.list.all().filter_map(|line| match line {
            Line::One(warning) => Some(&**warning),
            Line::Kind(_) => None,
        })
    }

    /// All that are not muted.
    pub fn audible(&self) -> impl Iterator<Item = &Warning> {
        self.all().filter(|warning| !self.is_muted(warning))
    }

    pub fn get(&self, id: u32) -> Option<&Warning> {
        self.all().find(|warning| warning.id == id)
    }

    /// Unfolds what hides the warning and puts the cursor on it.
    pub fn show(&mut self, id: u32, filter: &Filter) -> bool {
        let Some(kind) = self.get(id).map(|warning| warning.kind.clone()) else {
            return false;
        };
        let hidden = self.rules.only.take_if(|only| *only != kind).is_some();
        if self.rules.folded.remove(&kind) || hidden {
            self.rearrange(filter);
        }
        self.list.select(&LineKey::One(id))
    }
}

impl Rules {
    fn lets(&self, warning: &Warning) -> bool {
        (self.show_muted || !self.muted.contains(&mute_key(warning)))
            && self.only.as_ref().is_none_or(|only| *only == warning.kind)
    }
}

fn headings(warnings: &[Warning]) -> BTreeMap<&str, KindRow> {
    let mut kinds: BTreeMap<&str, KindRow> = BTreeMap::new();
    for warning in warnings {
        let row = kinds.entry(warning.kind.as_str()).or_default();
        row.kind.clone_from(&warning.kind);
        row.severity = row.severity.max(warning.severity);
        row.sites += 1;
        row.count = row.count.saturating_add(warning.count);
        row.tasks = row.tasks.saturating_add(warning.tasks);
        row.last_ns = row.last_ns.max(warning.last_ns);
        row.worst_ns = row.worst_ns.max(warning.worst_ns.or(warning.wall_ns));
        row.live |= warning.live;
    }
    kinds
}

/// What is still going on first, then by the last time.
type Newest = Reverse<(bool, u64)>;

/// Kinds by their newest warning that is shown, each followed by its warnings, newest first.
fn arrange(lines: &[&Line], filter: &Filter, rules: &Rules) -> Vec<usize> {
    let mut under: BTreeMap<&WarningKind, Vec<(Newest, usize)>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        if let Line::One(warning) = line
            && filter.matches(&**warning)
            && rules.lets(warning)
        {
            under
                .entry(&warning.kind)
                .or_default()
                .push((Reverse((warning.live, warning.last_ns)), at));
        }
    }
    let mut heads: Vec<(Newest, usize, &WarningKind)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Line::Kind(row) = line
            && let Some(ones) = under.get_mut(&row.kind)
        {
            ones.sort_unstable();
            heads.push((ones[0].0, at, &row.kind));
        }
    }
    heads.sort_unstable();
    let mut shown = Vec::with_capacity(lines.len());
    for (_, at, kind) in heads {
        shown.push(at);
        if !rules.folded.contains(kind) {
            shown.extend(under[kind].iter().map(|(_, at)| at));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::list::Step;

    fn warning(id: u32, kind: &str, line: u32, last_ns: u64) -> Warning {
        Warning {
            id,
            kind: WarningKind(kind.to_owned()),
            last_ns,
            count: 2,
            site: Some(Site {
                file: "src/a.rs".to_owned(),
                line,
                ..Site::default()
            }),
            ..Warning::default()
        }
    }

    fn filled() -> Warnings {
        let mut warnings = Warnings::default();
        let rows = vec![
            warning(1, "slow_poll", 1, 10),
            warning(2, "slow_poll", 2, 30),
            warning(3, "never_awaited", 3, 20),
        ];
        warnings.replace(rows, &Filter::default(), false);
        warnings
    }

    fn shown(warnings: &Warnings) -> Vec<String> {
        let name = |line: &Line| match line {
            Line::Kind(row) => format!("{} {}", row.kind.as_str(), row.count),
            Line::One(warning) => warning.id.to_string(),
        };
        warnings
            .list
            .visible(99)
            .map(|(_, _, line)| name(line))
            .collect()
    }

    #[test]
    fn kinds_and_sites_are_newest_first() {
        assert_eq!(
            shown(&filled()),
            ["slow_poll 4", "2", "1", "never_awaited 2", "3"]
        );
    }

    #[test]
    fn folding_keeps_the_heading_under_the_cursor() {
        let (mut warnings, all) = (filled(), Filter::default());
        warnings.list.step(Step::By(2));
        assert!(warnings.fold(true, &all));
        assert_eq!(shown(&warnings), ["slow_poll 4", "never_awaited 2", "3"]);
        assert_eq!(warnings.list.cursor(), 0);
        assert_eq!(warnings.told().map(|warning| warning.id), Some(2));
        assert!(warnings.show(1, &all));
        assert_eq!(warnings.selected().map(|warning| warning.id), Some(1));
    }

    #[test]
    fn a_muted_site_is_hidden_until_asked_for() {
        let (mut warnings, all) = (filled(), Filter::default());
        warnings.list.step(Step::Last);
        assert!(warnings.toggle_mute(&all).unwrap().contains("src/a.rs:3"));
        assert_eq!(shown(&warnings), ["slow_poll 4", "2", "1"]);
        assert_eq!(warnings.audible().count(), 2);
        warnings.toggle_show_muted(&all);
        assert_eq!(warnings.list.len(), 5);
    }

    #[test]
    fn one_kind_after_the_other_then_all() {
        let (mut warnings, all) = (filled(), Filter::default());
        assert!(warnings.next_kind(&all).starts_with("only never awaited"));
        assert_eq!(shown(&warnings), ["never_awaited 2", "3"]);
        assert!(warnings.next_kind(&all).starts_with("only slow poll"));
        assert_eq!(shown(&warnings), ["slow_poll 4", "2", "1"]);
        assert!(warnings.show(3, &all), "what is asked for is shown");
        assert_eq!(warnings.only(), None);
        warnings.next_kind(&all);
        warnings.next_kind(&all);
        assert_eq!(warnings.next_kind(&all), "all kinds");
        assert_eq!(warnings.list.len(), 5);
    }
}
