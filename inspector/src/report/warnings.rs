//! Warnings as text: a line each where they stream by, and with both stacks where they are reported.

use std::io::{self, Write};

use super::frames::{Which, backtrace};
use super::{Paint, clock};
use crate::format::{count, duration};
use crate::model::{Clock, Place, Verdict, Warning};

/// `13:02:11Z !! slow_poll x12 src/orders.rs:88 task 17 (settle): message`.
pub fn warning_line(
    out: &mut dyn Write,
    warning: &Warning,
    clock: Clock,
    paint: Paint,
) -> io::Result<()> {
    let time = clock::time_of_day(clock, warning.last_ns);
    writeln!(out, "{time} {}: {}", title(warning, paint), warning.message)
}

/// A warning with its two places; of each backtrace so many of the user's frames.
pub(super) fn warning(
    out: &mut dyn Write,
    warning: &Warning,
    depth: usize,
    paint: Paint,
) -> io::Result<()> {
    writeln!(out, "{}", title(warning, paint))?;
    if !warning.message.is_empty() {
        writeln!(out, "     {}", warning.message)?;
    }
    if let Some(facts) = facts(warning) {
        writeln!(out, "     {facts}")?;
    }
    if let Some(within) = within(warning) {
        writeln!(out, "     within   {within}")?;
    }
    if let Some(future) = warning.instead_of_names() {
        writeln!(out, "     future   {future}")?;
    }
    if let Some(error) = &warning.error {
        let text = error.display.as_ref().or(error.debug.as_ref());
        let texts = [Some(&error.type_name), text].into_iter().flatten();
        let texts: Vec<_> = texts.filter(|text| !text.is_empty()).cloned().collect();
        writeln!(out, "     error {}", texts.join(": "))?;
    }
    place(out, "created ", &warning.created, depth, paint)?;
    place(out, "observed", &warning.observed, depth, paint)
}

/// The future within the task that accounts for the time.
fn within(warning: &Warning) -> Option<String> {
    let sub = warning.sub_future.as_ref()?;
    let at = sub.site.as_ref().map(|site| format!(", {}", site.short()));
    Some(format!("{}{}", sub.type_name, at.unwrap_or_default()))
}

/// The worst first, and of equals the one counted most.
pub(super) fn worst_first(warnings: &[Warning]) -> Vec<&Warning> {
    let mut sorted: Vec<_> = warnings.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |w: &Warning| (w.severity, w.live, w.count, w.last_ns);
        rank(b).cmp(&rank(a))
    });
    sorted
}

fn title(warning: &Warning, paint: Paint) -> String {
    let severity = paint.severity(warning.severity);
    let kind = paint.heading(warning.kind.as_str());
    let mut words = vec![format!("{severity} {kind}")];
    if warning.count > 1 {
        words.push(format!("x{}", count(warning.count)));
    }
    if let Some(site) = &warning.site {
        words.push(paint.place(site.short()).to_string());
    }
    if let Some(task) = &warning.task {
        words.push(format!("task {}", task.id));
        if !task.name.is_empty() {
            words.push(format!("({})", task.name));
        }
    }
    if warning.live {
        words.push("now".to_owned());
    }
    if warning.certainty == "likely" {
        words.push("(likely)".to_owned());
    }
    words.join(" ")
}

/// What was measured, in one line.
fn facts(warning: &Warning) -> Option<String> {
    let mut facts = Vec::new();
    if let Some(wall) = warning.wall_ns {
        facts.push(if warning.live {
            format!("for {} so far", duration(wall))
        } else {
            format!("took {}", duration(wall))
        });
    }
    if let Some(cpu) = warning.cpu_ns {
        facts.push(format!("{} of it on the CPU", duration(cpu)));
    }
    if let Some(verdict) = &warning.verdict {
        facts.push(verdict_text(verdict));
    }
    if let Some(worst) = warning
        .worst_ns
        .filter(|worst| Some(*worst) != warning.wall_ns)
    {
        facts.push(format!("worst {}", duration(worst)));
    }
    if let Some(threshold) = warning.threshold_ns {
        facts.push(format!("threshold {}", duration(threshold)));
    }
    if let Some(delayed) = warning.delayed.as_ref().filter(|delayed| delayed.tasks > 0) {
        let longest = duration(delayed.max_ns);
        facts.push(format!(
            "{} tasks waited, up to {longest}",
            count(delayed.tasks)
        ));
    }
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// Why it took so long, in words; what a newer target says is shown as it is.
pub(super) fn verdict_text(verdict: &Verdict) -> String {
    let state = match verdict.state.as_str() {
        "on_cpu" => "on the CPU",
        "syscall" => "in the kernel",
        "lock" => "waiting for a lock",
        "lock_starved" => "waiting for a lock whose holder may get no CPU",
        "parked" => "parked",
        "stopped" => "stopped",
        "descheduled" => "ready, but not given a CPU",
        "throttled" => "throttled by its cgroup",
        other => other,
    };
    match &verdict.syscall {
        Some(syscall) => format!("{state} ({syscall})"),
        None => state.to_owned(),
    }
}

fn place(
    out: &mut dyn Write,
    name: &str,
    place: &Place,
    depth: usize,
    paint: Paint,
) -> io::Result<()> {
    let nothing = place.site.is_none() && place.thread.is_none() && place.backtrace.is_empty();
    if nothing {
        return Ok(());
    }
    write!(out, "     {}", paint.heading(name))?;
    if let Some(site) = &place.site {
        write!(out, " {}", paint.place(site.short()))?;
    }
    if let Some(thread) = &place.thread {
        write!(out, " on {} ({})", thread.name, thread.tid)?;
    }
    if place.exemplar {
        write!(out, ", stack of another task of this site")?;
    }
    writeln!(out)?;
    backtrace(out, &place.backtrace, Which::Users(depth), 7, paint)
}
