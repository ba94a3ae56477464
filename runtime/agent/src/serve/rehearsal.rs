//! An update as a client would get it, without a client: for the benchmark of this crate, and for nobody else.

use std::sync::Arc;

use pollscope_proto::v1;

use super::Server;
use super::memory::Memory;
use super::update::{Outgoing, Told};
use super::view::View;
use crate::config::Settings;
use crate::state::Agent;

/// Makes updates of all tasks of this process.
#[derive(Debug)]
pub struct Rehearsal {
    server: Server,
    told: Told,
    seq: u64,
}

impl Rehearsal {
    /// Without sockets and threads.
    #[must_use]
    pub fn new() -> Self {
        let server = Server::new(&Arc::new(Agent::new(Settings::default())));
        Self {
            server,
            told: Told::new(0),
            seq: 0,
        }
    }

    /// The parts of the next update; none where the view cannot be understood, or takes too much.
    pub fn update(&mut self, view: &v1::View) -> Vec<v1::Update> {
        let Ok(view) = View::parse(view) else {
            return Vec::new();
        };
        self.seq += 1;
        let memory = Memory::default();
        let begun = Outgoing::begin(
            &self.server,
            &memory,
            &view,
            self.seq,
            false,
            &mut self.told,
        );
        let Ok(mut outgoing) = begun else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        loop {
            let part = outgoing.part(&self.server, &mut self.told);
            let last = part.last;
            parts.push(part);
            if last {
                return parts;
            }
        }
    }
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self::new()
    }
}
