//! A client's view, checked and clamped: what the wire says, as the server will answer it.

use std::time::Duration;

use pollscope_capture::SiteId;
use pollscope_proto::filter::Filter;
use pollscope_proto::limits::INTERVAL_MS;
use pollscope_proto::order::{Order, Rows};
use pollscope_proto::v1;
use tonic::Status;

/// The farthest row of the order that a window may show: what is kept while sorting grows with it.
pub(super) const MAX_WINDOW: usize = 1 << 18;

/// What a client wants to see.
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the wire")]
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) id: u32,
    pub(super) filter: Filter,
    pub(super) order: Order,
    pub(super) descending: bool,
    pub(super) offset: usize,
    pub(super) limit: usize,
    pub(super) interval: Duration,
    pub(super) sites: bool,
    pub(super) threads: bool,
    pub(super) warnings: bool,
    pub(super) history: bool,
    pub(super) once: bool,
    pub(super) done: bool,
    pub(super) site: Option<SiteId>,
}

impl View {
    /// Takes the wire's view; what is merely too large is clamped.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` with the parser's own words, where filter or order cannot be understood.
    pub(super) fn parse(wire: &v1::View) -> Result<Self, Status> {
        let filter = wire
            .filter
            .parse::<Filter>()
            .map_err(|error| invalid("filter", &error))?;
        let order = if wire.order.is_empty() {
            Ok(Order::Id)
        } else {
            wire.order.parse::<Order>()
        };
        let order = order.map_err(|error| invalid("order", &error))?;
        if !order.is_of(Rows::Tasks) {
            return Err(invalid(
                "order",
                &format_args!("tasks have no column `{order}`"),
            ));
        }
        let offset = (wire.offset as usize).min(MAX_WINDOW);
        Ok(Self {
            id: wire.id,
            filter,
            order,
            descending: wire.descending,
            offset,
            limit: (wire.limit as usize).min(MAX_WINDOW - offset),
            interval: Duration::from_millis(
                wire.interval_ms
                    .clamp(*INTERVAL_MS.start(), *INTERVAL_MS.end())
                    .into(),
            ),
            sites: wire.sites,
            threads: wire.threads,
            warnings: wire.warnings,
            history: wire.history,
            once: wire.once,
            done: wire.done,
            site: (wire.site != 0).then_some(SiteId(wire.site)),
        })
    }
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> Status {
    Status::invalid_argument(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn an_empty_view_is_a_view() {
        let view = View::parse(&v1::View::default()).expect("fine");
        assert!(view.filter.is_empty());
        assert_eq!(
            (view.order, view.offset, view.limit, view.site),
            (Order::Id, 0, 0, None)
        );
        assert_eq!(view.interval, Duration::from_millis(33));
    }

    #[test]
    fn what_is_too_large_is_clamped() {
        let huge = v1::View {
            offset: u32::MAX,
            limit: u32::MAX,
            interval_ms: u32::MAX,
            ..v1::View::default()
        };
        let view = View::parse(&huge).expect("fine");
        assert_eq!(view.offset + view.limit, MAX_WINDOW);
        assert_eq!(view.interval, Duration::from_secs(60));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_in_the_parsers_words() {
        let refused = |view| {
            let status = View::parse(&view).expect_err("refused");
            assert_eq!(status.code(), Code::InvalidArgument);
            status.message().to_owned()
        };
        let filter = refused(v1::View {
            filter: "bsy>1s".into(),
            ..v1::View::default()
        });
        assert_eq!(
            filter,
            "filter: column 1: no key `bsy`; quote it to search for it as text"
        );
        let order = refused(v1::View {
            order: "bsy".into(),
            ..v1::View::default()
        });
        assert!(
            order.starts_with("order: no such column; there are"),
            "{order}"
        );
        let order = refused(v1::View {
            order: "growth".into(),
            ..v1::View::default()
        });
        assert_eq!(order, "order: tasks have no column `growth`");
    }
}
