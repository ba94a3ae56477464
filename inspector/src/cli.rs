//! The command line: a contract that scripts and tests rely on. What is not built is absent.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::net::{self, SymbolsFrom};
use crate::report::Paint;

mod ask;
mod exit;
#[cfg(feature = "demo")]
mod faulty;
mod live;
mod ps;
mod run;
mod runtime;
mod targets;
mod track;
mod values;

pub use exit::{Exit, Failure};

use runtime::Runtime;
use values::{FailOn, Setting};

/// The debug mode that Tokio lacks: see what the tasks of a live program do, also after it hung.
#[derive(Debug, Parser)]
#[command(
    name = "pollscope",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "TARGET is a PID, HOST:PORT, http://HOST:PORT or unix:PATH; `pollscope ps` lists what is here.\n\
        Exit codes: 0 ok, 1 --fail-on or track --check found some, 2 usage, 3 no such target, 4 refused or incompatible, 5 connection lost, 70 our own fault."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The process to attach to; without one, choose from a list
    target: Option<String>,
    #[command(flatten)]
    symbols: Symbols,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Debug, Default, Args)]
struct Symbols {
    /// Where to find debug information of the target: an executable, or a directory of such
    #[arg(long, value_name = "FILE|DIR")]
    symbols: Option<PathBuf>,
}

impl Symbols {
    fn from(self) -> Result<SymbolsFrom, Failure> {
        let from = SymbolsFrom(self.symbols);
        let usage = |why| Failure::Message(Exit::Usage, why);
        from.check().map_err(usage)?;
        Ok(from)
    }
}

/// What `report` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// An object of schema 1
    Json,
    /// Annotations of GitHub Actions: one for each warning
    Github,
    /// `JUnit` XML: a test case for each warning
    Junit,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Attach to a process and inspect it live
    Attach {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        #[command(flatten)]
        symbols: Symbols,
    },
    /// List the instrumented processes of this machine
    Ps {
        /// Print an array of objects
        #[arg(long)]
        json: bool,
    },
    /// Start a small faulty program, and inspect it
    #[cfg(feature = "demo")]
    Demo {
        /// Only the program, in the foreground
        #[arg(long)]
        serve: bool,
        /// Without its defects
        #[arg(long)]
        healthy: bool,
    },
    #[cfg(feature = "demo")]
    #[command(name = "__demo", hide = true)]
    DemoChild {
        #[arg(long)]
        healthy: bool,
        #[arg(long)]
        parent: Option<u32>,
    },
    /// Start a program and attach to it; exits with the program's status
    ///
    /// On a terminal the program has it until it listens; what it prints under the screen is printed afterwards. `q`
    /// ends the program, too: by SIGTERM, and after 10 s by SIGKILL. Without a terminal its warnings go to stderr.
    Run {
        /// Switch its debug level on
        #[arg(long)]
        debug: bool,
        #[command(flatten)]
        symbols: Symbols,
        /// The program and its arguments
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "CMD"
        )]
        command: Vec<OsString>,
    },
    /// Print what a process does now
    Report {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        /// Print an object of schema 1: the same as `--format json`
        #[arg(long, conflicts_with = "format")]
        json: bool,
        /// How to print it
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Watch for that long first: 5s, 2m
        #[arg(long = "for", value_name = "DUR", value_parser = values::duration)]
        time: Option<std::time::Duration>,
        /// Print at most so many tasks, the busiest first
        #[arg(long, value_name = "N", default_value_t = crate::report::TASKS)]
        limit: u32,
        /// Exit with 1 if there are warnings of these kinds (notes do not count), or `any`
        #[arg(long, value_name = "KIND,…|any", value_delimiter = ',')]
        fail_on: Vec<FailOn>,
        #[command(flatten)]
        symbols: Symbols,
    },
    /// Print one line for each warning, as they come
    Watch {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        /// Print an object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        symbols: Symbols,
    },
    /// Print the stacks of all threads
    Dump {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        /// Only of the thread that polls this task
        #[arg(long, value_name = "ID")]
        task: Option<u64>,
        /// Print an object
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        symbols: Symbols,
    },
    /// Change settings of a process: `level=debug slow_poll=50ms log=warn depth=10 dedupe=on`
    Set {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<Setting>,
    },
    /// Ask the runtime to abort a task
    Abort {
        /// PID, HOST:PORT, `http://HOST:PORT` or `unix:PATH`
        target: String,
        /// The id of the task
        task: u64,
    },
    /// Put `#[pollscope::tracked]` where it is missing in Rust sources
    #[command(group(clap::ArgGroup::new("mode").required(true)))]
    Track {
        /// Files, and folders to look through, without what `.gitignore` names
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Print each function that is not tracked, change nothing; exit with 1 if there is one
        #[arg(long, group = "mode")]
        check: bool,
        /// Write the attributes into the files
        #[arg(long, group = "mode")]
        write: bool,
        /// Print an object of schema 1
        #[arg(long)]
        json: bool,
    },
    /// Explain a kind of warning: meaning, likely fix, how to silence it
    Explain {
        /// As warnings name it: `slow_poll`
        kind: String,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    exit::guarded(|| {
        let cli = Cli::try_parse().map_err(Failure::Usage)?;
        let paint = Paint::new(cli.color.wanted(&std::io::stdout()));
        dispatch(cli, paint)
    })
}

fn dispatch(cli: Cli, paint: Paint) -> Result<Exit, Failure> {
    let Some(command) = cli.command else {
        return match cli.target {
            Some(target) => live::attach(&target, cli.symbols.from()?, paint),
            None if live::has_terminal() => live::pick(cli.symbols.from()?, paint),
            None => ps::ps(false, paint),
        };
    };
    match command {
        Command::Attach { target, symbols } => live::attach(&target, symbols.from()?, paint),
        Command::Ps { json } => ps::ps(json, paint),
        #[cfg(feature = "demo")]
        Command::Demo { serve, healthy } => faulty::demo(serve, healthy, paint),
        #[cfg(feature = "demo")]
        Command::DemoChild { healthy, parent } => Ok(Exit::Status(faulty::child(healthy, parent))),
        Command::Run {
            debug,
            symbols,
            command,
        } => run::run(&command, debug, symbols.from()?, paint),
        Command::Report {
            target,
            json,
            format,
            time,
            limit,
            fail_on,
            symbols,
        } => {
            let asked = ask::Report {
                format: if json { Format::Json } else { format },
                time,
                limit,
                fail_on,
            };
            ask::report(&target, symbols.from()?, &asked, paint)
        }
        Command::Watch {
            target,
            json,
            symbols,
        } => ask::watch(&target, symbols.from()?, json, paint),
        Command::Dump {
            target,
            task,
            json,
            symbols,
        } => ask::dump(&target, symbols.from()?, task, json, paint),
        Command::Set { target, settings } => ask::set(&target, &settings),
        Command::Abort { target, task } => ask::abort(&target, task),
        Command::Track {
            paths,
            check: _,
            write,
            json,
        } => track::track(&track::Asked { paths, write, json }),
        Command::Explain { kind } => exit::print(|out| match crate::explain::find(&kind) {
            Some(explanation) => crate::report::explanation(out, explanation, paint),
            None => Err(Failure::Message(
                Exit::Usage,
                crate::explain::unknown(&kind),
            )),
        }),
        Command::Completions { shell } => exit::print(|out| {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut shown(), "pollscope", &mut script);
            Ok(out.write_all(&script)?)
        }),
        Command::Man => exit::print(|out| {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            Ok(out.write_all(&page)?)
        }),
    }
}

/// The command line without what is hidden: scripts of some shells would complete that.
fn shown() -> clap::Command {
    let whole = Cli::command();
    let commands = whole
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    clap::Command::new("pollscope")
        .version(env!("CARGO_PKG_VERSION"))
        .args_conflicts_with_subcommands(true)
        .args(whole.get_arguments().cloned())
        .subcommands(commands.cloned())
}

impl Color {
    /// Whether to colour what goes there: `--color`, then `NO_COLOR`, then what it is.
    fn wanted(self, out: &impl IsTerminal) -> bool {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => !no_color && !dumb && out.is_terminal(),
        }
    }
}

/// The runtime of one command: nothing here needs a second thread.
fn runtime() -> Result<Runtime, Failure> {
    Ok(Runtime::new()?)
}

fn locate(target: &str) -> Result<net::Address, Failure> {
    Ok(net::locate(target)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
