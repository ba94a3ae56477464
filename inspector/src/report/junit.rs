//! Warnings as `JUnit` XML, which every CI shows: a test case a warning, failed where it is one that counts.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Paint;
use super::warnings::{warning as details, worst_first};
use crate::model::{Snapshot, Warning};

/// Frames of each backtrace in the text of a failure.
const DEPTH: usize = 10;

/// Prints one suite. `fails`: which warnings are failures; the others are passed cases. Without any warning there is
/// one passed case, so that a CI does not take an empty file for a broken one.
pub fn junit(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    fails: impl Fn(&Warning) -> bool,
) -> io::Result<()> {
    let warnings = worst_first(&snapshot.warnings);
    let failures = warnings.iter().filter(|warning| fails(warning)).count();
    let (tests, failures) = (warnings.len().max(1).to_string(), failures.to_string());
    let target = &snapshot.target;
    let name = format!("{} ({})", target.name, target.pid);
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = [("tests", &*tests), ("failures", &*failures)];
    xml.create_element("testsuites")
        .with_attribute(("name", "pollscope"))
        .with_attributes(counts)
        .write_inner_content(|xml| {
            xml.create_element("testsuite")
                .with_attribute(("name", &*name))
                .with_attributes(counts)
                .write_inner_content(|xml| {
                    if warnings.is_empty() {
                        xml.create_element("testcase")
                            .with_attribute(("name", "no warnings"))
                            .with_attribute(("classname", "pollscope"))
                            .write_empty()?;
                    }
                    for warning in warnings {
                        case(xml, warning, fails(warning))?;
                    }
                    Ok(())
                })?;
            Ok(())
        })?;
    writeln!(out)
}

fn case<W: Write>(xml: &mut Writer<W>, warning: &Warning, failed: bool) -> io::Result<()> {
    let kind = warning.kind.as_str();
    let site = warning.site.clone().unwrap_or_default();
    let (name, class) = (
        format!("{kind} at {}", site.short()),
        format!("pollscope.{kind}"),
    );
    let line = site.line.to_string();
    let case = xml
        .create_element("testcase")
        .with_attribute(("name", &*name))
        .with_attribute(("classname", &*class))
        .with_attribute(("file", &*site.file))
        .with_attribute(("line", &*line));
    if !failed {
        case.write_empty()?;
        return Ok(());
    }
    let mut text = Vec::new();
    details(&mut text, warning, DEPTH, Paint::new(false))?;
    let text = String::from_utf8_lossy(&text);
    case.write_inner_content(|xml| {
        xml.create_element("failure")
            .with_attribute(("type", kind))
            .with_attribute(("message", &*warning.message))
            .write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}
