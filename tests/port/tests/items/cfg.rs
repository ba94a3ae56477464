//! Whether a part of a source is compiled: `#[cfg(…)]`, and the `cfg_…!` macros that Tokio wraps its items in.

use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// A build that sources are read for: Unix, with feature `full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    is_unstable: bool,
}

impl Build {
    pub(crate) const STABLE: Self = Self { is_unstable: false };
    pub(crate) const UNSTABLE: Self = Self { is_unstable: true };

    /// Whether what has these attributes is there.
    pub(crate) fn has(self, attributes: &[Attribute]) -> bool {
        attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .all(|attribute| match attribute.parse_args::<Meta>() {
                Ok(condition) => self.holds(&condition),
                Err(_) => false,
            })
    }

    /// Whether what stands in a macro of this name is there.
    pub(crate) fn takes(self, name: &str) -> bool {
        let Some(of) = name.strip_prefix("cfg_") else {
            return name == "feature";
        };
        match of {
            // Of other systems, of tools of Tokio's own, and beyond `full`.
            "windows" | "net_windows" | "unstable_windows" | "loom" | "aio" | "test_util"
            | "taskdump" | "trace" | "io_uring" | "schedule_latency" => false,
            "unstable" | "unstable_metrics" => self.is_unstable,
            "not_unstable_metrics" => !self.is_unstable,
            "not_loom" | "not_wasi" | "not_wasip1" | "not_taskdump" | "not_trace" => true,
            other => !other.starts_with("not_") && !other.starts_with("no_"),
        }
    }

    fn holds(self, condition: &Meta) -> bool {
        match condition {
            Meta::Path(path) => {
                path.is_ident("unix")
                    || path.is_ident("target_has_atomic")
                    || (path.is_ident("tokio_unstable") && self.is_unstable)
            }
            Meta::NameValue(pair) => {
                let value = match &pair.value {
                    syn::Expr::Lit(syn::ExprLit {
                        lit: syn::Lit::Str(text),
                        ..
                    }) => text.value(),
                    _ => return false,
                };
                if pair.path.is_ident("feature") {
                    let beyond = [
                        "test-util",
                        "taskdump",
                        "tracing",
                        "io-uring",
                        "schedule-latency",
                    ];
                    !beyond.contains(&value.as_str())
                } else if pair.path.is_ident("target_os") {
                    value == "linux"
                } else if pair.path.is_ident("target_family") {
                    value == "unix"
                } else {
                    pair.path.is_ident("target_has_atomic") || value == "64"
                }
            }
            Meta::List(list) => {
                let parts = list
                    .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                    .map(|parts| {
                        parts
                            .iter()
                            .map(|part| self.holds(part))
                            .collect::<Vec<_>>()
                    })
                    .unwrap_or_default();
                if list.path.is_ident("not") {
                    !parts.contains(&true)
                } else if list.path.is_ident("any") {
                    parts.contains(&true)
                } else {
                    list.path.is_ident("all") && !parts.contains(&false)
                }
            }
        }
    }
}
