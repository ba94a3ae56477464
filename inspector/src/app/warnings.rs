//! Warnings under the headings of their kinds, the worst kind first; folds and mutes.

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

/// The heading of a kind: what those of its warnings come to that are shown, or would be but for the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KindRow {
    pub kind: WarningKind,
    pub severity: Severity,
    pub sites: usize,
    /// The one that comes first under it.
    pub first: Option<u32>,
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

/// How many there are. Notes are apart everywhere: they are shown and never alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub warnings: u64,
    pub notes: u64,
    /// How often all of them happened.
    pub times: u64,
}

impl Tally {
    fn of<'a>(warnings: impl Iterator<Item = &'a Warning>) -> Self {
        let mut tally = Self::default();
        for warning in warnings {
            let count = match warning.severity {
                Severity::Info => &mut tally.notes,
                Severity::Warn | Severity::Error => &mut tally.warnings,
            };
            *count += 1;
            tally.times = tally.times.saturating_add(warning.count);
        }
        tally
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
        let shown = warnings.iter().filter(|of| self.rules.show(of, filter));
        let mut heads = headings(shown);
        let kinds: BTreeSet<&WarningKind> = warnings.iter().map(|of| &of.kind).collect();
        let mut lines: Vec<Line> = kinds
            .into_iter()
            .map(|kind| Line::Kind(heading(&mut heads, kind)))
            .collect();
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
        let mut heads = headings(self.shown(filter));
        for line in self.list.rows_mut() {
            if let Line::Kind(row) = line {
                *row = heading(&mut heads, &row.kind);
            }
        }
        let rules = &self.rules;
        self.list.rearrange(|lines| arrange(lines, filter, rules));
    }

    /// Those that the list shows, or would but for folds.
    fn shown(&self, filter: &Filter) -> impl Iterator<Item = &Warning> {
        self.all()
            .filter(move |warning| self.rules.show(warning, filter))
    }

    /// How many of them are shown, or would be but for folds.
    pub fn tally(&self, filter: &Filter) -> Tally {
        Tally::of(self.shown(filter))
    }

    /// How many there are.
    pub fn tally_all(&self) -> Tally {
        Tally::of(self.all())
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

    /// Mutes the place of the warning, or lets it speak again. Says what it did.
    pub fn toggle_mute(&mut self, id: u32, filter: &Filter) -> Option<String> {
        let key = mute_key(self.get(id)?);
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
        self.rules.mutes(warning)
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
            Line::Kind(row) => self.get(row.first?),
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
    fn mutes(&self, warning: &Warning) -> bool {
        // The key is a text to be made: not for each of a thousand warnings where none is muted.
        !self.muted.is_empty() && self.muted.contains(&mute_key(warning))
    }

    fn show(&self, warning: &Warning, filter: &Filter) -> bool {
        filter.matches(warning)
            && (self.show_muted || !self.mutes(warning))
            && self.only.as_ref().is_none_or(|only| *only == warning.kind)
    }
}

/// The heading of the kind, out of those that have something to show.
fn heading(heads: &mut BTreeMap<WarningKind, KindRow>, kind: &WarningKind) -> KindRow {
    heads.remove(kind).unwrap_or_else(|| KindRow {
        kind: kind.clone(),
        ..KindRow::default()
    })
}

fn headings<'a>(shown: impl Iterator<Item = &'a Warning>) -> BTreeMap<WarningKind, KindRow> {
    let mut kinds: BTreeMap<WarningKind, KindRow> = BTreeMap::new();
    let mut firsts: BTreeMap<&WarningKind, Rank> = BTreeMap::new();
    for warning in shown {
        if !kinds.contains_key(&warning.kind) {
            kinds.insert(warning.kind.clone(), KindRow::default());
        }
        let Some(row) = kinds.get_mut(&warning.kind) else {
            continue;
        };
        let first = firsts.entry(&warning.kind).or_insert_with(|| rank(warning));
        if rank(warning) <= *first {
            *first = rank(warning);
            row.first = Some(warning.id);
        }
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

/// The worst first, then what was seen first. A place that speaks again and again keeps its row: a list that is read
/// while a service misbehaves must not move under the reader.
type Rank = (Reverse<Severity>, u64, u32);

fn rank(warning: &Warning) -> Rank {
    (Reverse(warning.severity), warning.first_ns, warning.id)
}

/// Kinds by the first of their warnings that are shown, each followed by its warnings.
fn arrange(lines: &[&Line], filter: &Filter, rules: &Rules) -> Vec<usize> {
    let mut under: BTreeMap<&WarningKind, Vec<(Rank, usize)>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        if let Line::One(warning) = line
            && rules.show(warning, filter)
        {
            under
                .entry(&warning.kind)
                .or_default()
                .push((rank(warning), at));
        }
    }
    let mut heads: Vec<(Rank, usize, &WarningKind)> = Vec::new();
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

    fn warning(id: u32, kind: &str, line: u32, first_ns: u64) -> Warning {
        Warning {
            id,
            kind: WarningKind(kind.to_owned()),
            severity: Severity::Warn,
            first_ns,
            last_ns: first_ns,
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
            warning(1, "slow_poll", 1, 30),
            warning(2, "slow_poll", 2, 10),
            warning(3, "never_awaited", 3, 20),
        ];
        warnings.replace(rows, &Filter::default(), false);
        warnings
    }

    fn replaced(change: impl Fn(&mut Vec<Warning>)) -> Warnings {
        let mut rows: Vec<Warning> = filled().all().cloned().collect();
        change(&mut rows);
        let mut warnings = Warnings::default();
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
    fn the_worst_is_first_then_what_was_seen_first() {
        assert_eq!(
            shown(&filled()),
            ["slow_poll 4", "2", "1", "never_awaited 2", "3"]
        );
        let worse = replaced(|rows| rows[2].severity = Severity::Error);
        assert_eq!(
            shown(&worse),
            ["never_awaited 2", "3", "slow_poll 4", "2", "1"]
        );
        let notes = replaced(|rows| {
            rows[0].severity = Severity::Error;
            rows[1].severity = Severity::Info;
        });
        assert_eq!(
            shown(&notes),
            ["slow_poll 4", "1", "2", "never_awaited 2", "3"]
        );
    }

    #[test]
    fn what_happens_again_keeps_its_row() {
        let again = replaced(|rows| {
            for (at, row) in (1..).zip(rows) {
                (row.last_ns, row.live, row.worst_ns) = (1_000 * at, at == 3, Some(at));
            }
        });
        assert_eq!(shown(&again), shown(&filled()));
        assert_eq!(again.told().map(|warning| warning.id), Some(2));
    }

    #[test]
    fn headings_and_counts_are_of_what_is_shown() {
        let mut warnings = replaced(|rows| {
            rows[1].severity = Severity::Info;
            rows[0].live = true;
        });
        let all = Filter::default();
        let of = |warnings, notes, times| Tally {
            warnings,
            notes,
            times,
        };
        assert_eq!(warnings.tally(&all), of(2, 1, 6));
        warnings.toggle_mute(1, &all);
        assert_eq!(
            shown(&warnings),
            ["never_awaited 2", "3", "slow_poll 2", "2"]
        );
        assert_eq!(warnings.tally(&all), of(1, 1, 4));
        assert_eq!(warnings.tally_all(), of(2, 1, 6));
        let filter: Filter = "never".parse().unwrap();
        warnings.refilter(&filter);
        assert_eq!(shown(&warnings), ["never_awaited 2", "3"]);
        assert_eq!(warnings.tally(&filter), of(1, 0, 2));
        let row = warnings.list.all().find_map(|line| match line {
            Line::Kind(row) if row.kind.as_str() == "slow_poll" => Some(row),
            _ => None,
        });
        assert_eq!(row.map(|row| (row.sites, row.live)), Some((0, false)));
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
        let told = warnings.toggle_mute(3, &all).unwrap();
        assert!(told.contains("src/a.rs:3"), "{told}");
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
