//! The arguments of `#[main]` and `#[test]`: Tokio's, and ours.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, Lit, LitInt, Path, Token};

use super::{Entry, Kind, duration};

const KNOWN: &str = "`flavor`, `worker_threads`, `start_paused`, `unhandled_panic`, `name`, `crate`, `debug`, `slow_poll`, `deny`, `depth`, `backtrace_every`, `dedupe`, `log`";

/// Which runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flavor {
    #[default]
    CurrentThread,
    MultiThread,
    Local,
}

/// What was said.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) flavor: Flavor,
    pub(super) worker_threads: Option<usize>,
    pub(super) start_paused: Option<bool>,
    pub(super) unhandled_panic: Option<Ident>,
    pub(super) name: Option<String>,
    pub(super) krate: Option<Path>,
    pub(super) debug: Option<bool>,
    pub(super) slow_poll: Option<duration::Threshold>,
    pub(super) deny: Option<String>,
    pub(super) depth: Option<u32>,
    pub(super) backtrace_every: Option<u32>,
    pub(super) dedupe: Option<bool>,
    pub(super) log: Option<String>,
}

/// `key = value`, where the value may be missing: then the error says what it should be.
struct Argument {
    key: String,
    span: Span,
    value: Option<Expr>,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // `crate` is a keyword.
        let key = input.call(<Ident as syn::ext::IdentExt>::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self {
            key: key.to_string(),
            span: key.span(),
            value,
        })
    }
}

impl Argument {
    fn literal(&self) -> syn::Result<&Lit> {
        match &self.value {
            Some(Expr::Lit(ExprLit { lit, .. })) => Ok(lit),
            Some(other) => Err(Error::new(
                other.span(),
                format!("`{}` needs a literal", self.key),
            )),
            None => Err(Error::new(self.span, self.missing())),
        }
    }

    fn missing(&self) -> String {
        match self.key.as_str() {
            "multi_thread" | "current_thread" | "local" => {
                format!("write `flavor = \"{}\"`", self.key)
            }
            "debug" | "start_paused" | "dedupe" => format!("write `{} = true`", self.key),
            "slow_poll" => "write how long, as in `slow_poll = \"50ms\"`".to_owned(),
            key => format!("`{key}` needs a value: `{key} = …`"),
        }
    }

    fn text(&self) -> syn::Result<(String, Span)> {
        match self.literal()? {
            Lit::Str(text) => Ok((text.value(), text.span())),
            other if self.key == "slow_poll" => Err(Error::new(other.span(), self.missing())),
            other => Err(Error::new(
                other.span(),
                format!("`{}` needs a string", self.key),
            )),
        }
    }

    fn truth(&self) -> syn::Result<bool> {
        match self.literal()? {
            Lit::Bool(truth) => Ok(truth.value),
            other => Err(Error::new(
                other.span(),
                format!("`{}` needs `true` or `false`", self.key),
            )),
        }
    }

    fn number(&self) -> syn::Result<usize> {
        let lit = self.literal()?;
        let number = match lit {
            Lit::Int(number) => LitInt::base10_parse(number).ok(),
            _ => None,
        };
        match number {
            Some(0) => Err(Error::new(
                lit.span(),
                format!("`{}` may not be 0", self.key),
            )),
            Some(number) => Ok(number),
            None => Err(Error::new(
                lit.span(),
                format!("`{}` needs a number", self.key),
            )),
        }
    }
}

/// Reads the arguments, and checks that they go together.
pub(super) fn parse(entry: Entry, tokens: TokenStream) -> syn::Result<Arguments> {
    let given = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?;
    let mut flavor = None;
    let mut arguments = Arguments::default();
    for (at, argument) in given.iter().enumerate() {
        if given
            .iter()
            .take(at)
            .any(|earlier| earlier.key == argument.key)
        {
            return Err(Error::new(
                argument.span,
                format!("`{}` is given twice", argument.key),
            ));
        }
        match argument.key.as_str() {
            "flavor" => flavor = Some(flavor_of(argument)?),
            "worker_threads" => arguments.worker_threads = Some(argument.number()?),
            "start_paused" => arguments.start_paused = Some(argument.truth()?),
            "unhandled_panic" => arguments.unhandled_panic = Some(behavior_of(argument)?),
            "name" => arguments.name = Some(argument.text()?.0),
            "crate" => {
                let (text, span) = argument.text()?;
                let path = syn::LitStr::new(&text, span).parse::<Path>();
                let wrong = |_| Error::new(span, format!("`{text}` is not a path to pollscope"));
                arguments.krate = Some(path.map_err(wrong)?);
            }
            "debug" => arguments.debug = Some(argument.truth()?),
            "slow_poll" => {
                let (text, span) = argument.text()?;
                arguments.slow_poll =
                    Some(duration::parse(&text).map_err(|text| Error::new(span, text))?);
            }
            "depth" => {
                arguments.depth = Some(u32::try_from(argument.number()?).unwrap_or(u32::MAX));
            }
            "backtrace_every" => {
                let every = u32::try_from(argument.number()?).unwrap_or(u32::MAX);
                arguments.backtrace_every = Some(every);
            }
            "dedupe" => arguments.dedupe = Some(argument.truth()?),
            "log" => arguments.log = Some(log_of(argument)?),
            "deny" => arguments.deny = Some(argument.text()?.0),
            "multi_thread" | "current_thread" | "local" => {
                return Err(Error::new(argument.span, argument.missing()));
            }
            "core_threads" => {
                return Err(Error::new(
                    argument.span,
                    "`core_threads` is called `worker_threads`",
                ));
            }
            unknown => {
                let text = format!("unknown argument `{unknown}`; there are {KNOWN}");
                return Err(Error::new(argument.span, text));
            }
        }
    }
    arguments.flavor = flavor.unwrap_or(match entry.kind {
        Kind::Main => Flavor::MultiThread,
        Kind::Test => Flavor::CurrentThread,
    });
    agree(entry, &arguments, &given)?;
    Ok(arguments)
}

fn flavor_of(argument: &Argument) -> syn::Result<Flavor> {
    let (text, span) = argument.text()?;
    match text.as_str() {
        "current_thread" => Ok(Flavor::CurrentThread),
        "multi_thread" => Ok(Flavor::MultiThread),
        "local" => Ok(Flavor::Local),
        other => {
            let text = format!(
                "no flavor `{other}`: there are `current_thread`, `multi_thread` and `local`"
            );
            Err(Error::new(span, text))
        }
    }
}

fn log_of(argument: &Argument) -> syn::Result<String> {
    let (text, span) = argument.text()?;
    if ["off", "error", "warn", "info", "debug"].contains(&text.as_str()) {
        Ok(text)
    } else {
        let wrong = format!("`{text}` is not one of `off`, `error`, `warn`, `info` and `debug`");
        Err(Error::new(span, wrong))
    }
}

fn behavior_of(argument: &Argument) -> syn::Result<Ident> {
    let (text, span) = argument.text()?;
    let name = match text.as_str() {
        "ignore" => "Ignore",
        "shutdown_runtime" => "ShutdownRuntime",
        other => {
            let text = format!("no behavior `{other}`: there are `ignore` and `shutdown_runtime`");
            return Err(Error::new(span, text));
        }
    };
    Ok(Ident::new(name, Span::call_site()))
}

/// Some arguments go with some flavors only, as in Tokio.
fn agree(
    entry: Entry,
    arguments: &Arguments,
    given: &Punctuated<Argument, Token![,]>,
) -> syn::Result<()> {
    let (wrong, right): (&[&str], _) = match arguments.flavor {
        Flavor::MultiThread => (&["start_paused", "unhandled_panic"], "current_thread"),
        Flavor::CurrentThread | Flavor::Local => (&["worker_threads"], "multi_thread"),
    };
    match given
        .iter()
        .find(|argument| wrong.contains(&argument.key.as_str()))
    {
        Some(argument) => {
            let text = format!(
                "`{}` goes with the other flavor: write `#[{}(flavor = \"{right}\")]`",
                argument.key,
                entry.name(),
            );
            Err(Error::new(argument.span, text))
        }
        None => Ok(()),
    }
}
