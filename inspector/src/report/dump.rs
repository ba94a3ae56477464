//! `dump` as text: every thread's stack, all frames, to paste into a bug report.

use std::io::{self, Write};

use super::Paint;
use super::frames::{Which, backtrace};
use super::warnings::verdict_text;
use crate::format::duration;
use crate::model::{Target, ThreadStack};

/// Prints the stacks. Threads in a poll come first, those longest in theirs before the others; our own are last.
pub fn dump(
    out: &mut dyn Write,
    target: &Target,
    threads: &[ThreadStack],
    paint: Paint,
) -> io::Result<()> {
    writeln!(
        out,
        "{}  pid {}  tokio {}  pollscope {}  {} threads",
        paint.heading(&target.name),
        target.pid,
        target.tokio,
        target.pollscope,
        threads.len()
    )?;
    let mut sorted: Vec<_> = threads.iter().collect();
    sorted.sort_by_key(|thread| {
        let longest_first = std::cmp::Reverse(thread.poll_ns);
        (thread.role == "ours", longest_first, thread.thread.tid)
    });
    for thread in sorted {
        writeln!(out)?;
        one(out, thread, paint)?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, stack: &ThreadStack, paint: Paint) -> io::Result<()> {
    let thread = &stack.thread;
    let mut title = vec![format!("thread {}", thread.tid)];
    if !thread.name.is_empty() {
        title.push(thread.name.clone());
    }
    if !stack.role.is_empty() {
        title.push(format!("({})", stack.role));
    }
    write!(out, "{}", paint.heading(title.join(" ")))?;
    if let Some(task) = &stack.task {
        write!(out, "  polls task {}", task.id)?;
        if !task.name.is_empty() {
            write!(out, " ({})", task.name)?;
        }
        if let Some(site) = &stack.place.site {
            write!(out, " of {}", paint.place(site.short()))?;
        }
    }
    if let Some(poll) = stack.poll_ns {
        write!(out, " for {}", duration(poll))?;
    }
    if let Some(verdict) = &stack.verdict {
        write!(out, "  {}", verdict_text(verdict))?;
    }
    writeln!(out)?;
    if stack.place.backtrace.is_empty() {
        let why = if stack.missing.is_empty() {
            "no stack"
        } else {
            &stack.missing
        };
        return writeln!(out, "     {}", paint.faint(why));
    }
    backtrace(out, &stack.place.backtrace, Which::All, 1, paint)
}
