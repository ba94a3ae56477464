//! A finding that lasts: one record from when it begins until it is over, told at both ends.

use crate::finding::Finding;
use crate::warnings::{Example, Key, Log, Warnings};

/// One time that something lasts for too long.
#[derive(Debug)]
pub(super) struct Episode {
    /// As it was last seen.
    finding: Finding,
    record: Option<u32>,
    /// A line told of its beginning: another must tell how it ended.
    announced: bool,
}

impl Episode {
    /// It begins. The hot path counts none of these.
    pub(super) fn begin(warnings: &mut Warnings, mut finding: Finding) -> Self {
        finding.message = crate::message::line(&finding);
        let added = warnings.add(Example {
            key: Key::Site(finding.site.id),
            finding: finding.clone(),
            beyond: true,
            excused: false,
            log: Log::Paced,
        });
        Self {
            finding,
            record: added.map(|added| added.id),
            announced: added.is_some_and(|added| added.logged),
        }
    }

    /// It lasts. What it came to before stays where that was worse.
    pub(super) fn renew(&mut self, warnings: &mut Warnings, mut new: Finding) {
        // A record is of one site, and shows the worst of it.
        let other = self.finding.site.id != new.site.id;
        if other {
            new.site.clone_from(&self.finding.site);
            new.created.clone_from(&self.finding.created);
        }
        if other || self.finding.wall_ns > new.wall_ns {
            new.task = self.finding.task;
            new.task_name.clone_from(&self.finding.task_name);
            new.wall_ns = self.finding.wall_ns;
        }
        if self.finding.number > new.number {
            (new.number, new.of) = (self.finding.number, self.finding.of);
        }
        new.severity = new.severity.max(self.finding.severity);
        new.certainty = new.certainty.max(self.finding.certainty);
        self.finding = new;
        self.show(warnings, Log::No);
    }

    /// It is over.
    pub(super) fn end(&mut self, warnings: &mut Warnings, now_ns: u64) {
        self.finding.live = false;
        self.finding.last_ns = now_ns;
        let log = if self.announced { Log::Always } else { Log::No };
        self.show(warnings, log);
    }

    fn show(&mut self, warnings: &mut Warnings, log: Log) {
        self.finding.message = crate::message::line(&self.finding);
        if let Some(record) = self.record {
            warnings.update(record, self.finding.clone(), log);
        }
    }
}
