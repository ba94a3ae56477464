//! Lines of source files, where they can be read on this machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::app::Excerpt;
use crate::model::Target;
use crate::net::clean;

/// Lines shown before and after the one that is meant.
const AROUND: u32 = 4;
/// A longer file is no source.
const LONGEST: u64 = 8 << 20;
const WIDEST: usize = 400;
/// Directories above the executable in which its sources may be.
const ABOVE: usize = 5;

/// Where the file of a frame is. A relative name belongs to the workspace the program was built in, which is
/// looked for around us, around the program's working directory and above its executable.
pub(super) fn find(file: &str, target: &Target) -> Option<PathBuf> {
    let path = Path::new(file);
    if path.is_absolute() {
        return path.is_file().then(|| path.to_owned());
    }
    let here = std::env::current_dir().ok();
    let there = is_local(target).then(|| PathBuf::from(format!("/proc/{}/cwd", target.pid)));
    let above = Path::new(&target.exe)
        .ancestors()
        .skip(1)
        .take(ABOVE)
        .map(Path::to_owned);
    here.into_iter()
        .chain(there)
        .chain(above)
        .map(|directory| directory.join(path))
        .find(|path| path.is_file())
}

/// A PID of another machine means another process here.
fn is_local(target: &Target) -> bool {
    fs::read_link(format!("/proc/{}/exe", target.pid))
        .is_ok_and(|exe| exe == Path::new(&target.exe))
}

/// The lines around `line`; none where the file cannot be read or is shorter.
pub(super) fn read(path: &Path, line: u32) -> Excerpt {
    let first = line.saturating_sub(AROUND).max(1);
    let wanted = (line + AROUND + 1 - first) as usize;
    let Ok(file) = File::open(path) else {
        return Excerpt::default();
    };
    let lines: Vec<String> = BufReader::new(file.take(LONGEST))
        .lines()
        .map_while(Result::ok)
        .skip(first as usize - 1)
        .take(wanted)
        .map(|text| indented(&text))
        .collect();
    if lines.len() <= (line - first) as usize {
        return Excerpt::default();
    }
    Excerpt { first, lines }
}

/// Cleaning drops the blanks at the start, which say what belongs to what.
fn indented(text: &str) -> String {
    let text = text.replace('\t', "    ");
    let code = text.trim_start();
    let blanks = (text.len() - code.len()).min(WIDEST);
    format!("{}{}", " ".repeat(blanks), clean(code, WIDEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<String> = (1..=lines)
            .map(|n| format!("\tline {n} \u{1b}[31m"))
            .collect();
        let text = lines.join("\n");
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn lines_around_the_one_meant_without_control_characters() {
        let file = file(20);
        let excerpt = read(file.path(), 10);
        assert_eq!((excerpt.first, excerpt.lines.len()), (6, 9));
        assert!(excerpt.lines[4].starts_with("    line 10"));
        assert!(!excerpt.lines.concat().contains('\u{1b}'));
        assert_eq!(read(file.path(), 1).first, 1);
    }

    #[test]
    fn a_file_that_is_too_short_is_not_the_one() {
        assert_eq!(read(file(3).path(), 10), Excerpt::default());
        assert_eq!(read(Path::new("/nonexistent"), 1), Excerpt::default());
    }

    #[test]
    fn a_relative_name_is_found_from_here() {
        let target = Target::default();
        assert!(find("src/lib.rs", &target).is_some());
        assert!(find("src/no_such_file.rs", &target).is_none());
        assert!(find("/no/such/file.rs", &target).is_none());
    }
}
