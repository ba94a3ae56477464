//! Places in the source, cut to a width: from the left, so that `file.rs:line` stays.

use pollscope_proto::frames::{Origin, is_user, origin, short_path};
use unicode_width::UnicodeWidthStr;

use super::SourceKey;
use crate::model::{Place, Site, SiteRow};

/// `checkout.rs:118`: the file without its directories.
pub fn file_and_line(file: &str, line: u32) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    with_line(name, line)
}

/// The place with its crate instead of the registry's path, in at most `width` columns.
pub fn place(file: &str, line: u32, width: usize) -> String {
    cut(&with_line(&short_path(file), line), width)
}

/// As [`place`], of a site; empty where the place is not known.
pub fn site(site: &Site, width: usize) -> String {
    place(&site.file, site.line, width)
}

/// A row of the spawn sites: the name of its requests, else the place, in at most `width` columns.
pub fn row(row: &SiteRow, width: usize) -> String {
    if row.name.is_empty() {
        site(&row.site, width)
    } else {
        cut(&row.name, width)
    }
}

/// The place in the user's source that a stack is about: its innermost frame of the program's own code, else the
/// site.
pub fn of_stack(place: &Place) -> Option<SourceKey> {
    let frame = place
        .backtrace
        .iter()
        .find(|frame| frame.line > 0 && is_user(&frame.function, &frame.file))
        .map(|frame| (frame.file.clone(), frame.line));
    let site = place.site.as_ref();
    frame.or_else(|| {
        site.filter(|site| !site.file.is_empty() && site.line > 0)
            .map(|site| (site.file.clone(), site.line))
    })
}

/// The place in the user's source where something began: its site. The innermost frame of the program's own code may
/// be a helper that passes its caller on (`#[track_caller]`), and the site is that caller.
pub fn of_beginning(place: &Place) -> Option<SourceKey> {
    place
        .site
        .as_ref()
        .filter(|site| site.line > 0 && !site.file.is_empty() && !is_foreign(&site.file))
        .map(|site| (site.file.clone(), site.line))
        .or_else(|| of_stack(place))
}

/// Whether the file is the standard library's or a crate's: the type of the future tells such sites apart.
fn is_foreign(file: &str) -> bool {
    matches!(
        origin("", file),
        Origin::Std | Origin::Library | Origin::Pollscope
    )
}

fn with_line(file: &str, line: u32) -> String {
    if file.is_empty() || line == 0 {
        file.to_owned()
    } else {
        format!("{file}:{line}")
    }
}

/// A path in at most `width` columns: whole directories go first, then the start of the name.
pub fn cut(path: &str, width: usize) -> String {
    if path.width() <= width {
        return path.to_owned();
    }
    if width == 0 {
        return String::new();
    }
    // "…/" and the longest tail that begins at a directory.
    let at_directory = path
        .match_indices('/')
        .map(|(at, _)| &path[at..])
        .find(|tail| tail.width() < width);
    let tail = at_directory.unwrap_or_else(|| {
        let fits = |&(at, _): &(usize, char)| path[at..].width() < width;
        path.char_indices()
            .find(fits)
            .map_or("", |(at, _)| &path[at..])
    });
    format!("…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Frame;

    fn at(file: &str, line: u32) -> Place {
        Place {
            site: Some(Site {
                file: file.to_owned(),
                line,
                ..Site::default()
            }),
            backtrace: vec![Frame {
                function: "app::spawn_it".to_owned(),
                file: "src/helper.rs".to_owned(),
                line: 7,
                ..Frame::default()
            }],
            ..Place::default()
        }
    }

    #[test]
    fn something_began_where_a_helper_was_called_and_happened_where_the_stack_is() {
        let place = at("src/main.rs", 40);
        assert_eq!(of_beginning(&place), Some(("src/main.rs".to_owned(), 40)));
        assert_eq!(of_stack(&place), Some(("src/helper.rs".to_owned(), 7)));
    }

    #[test]
    fn a_site_in_a_library_or_without_a_line_leaves_it_to_the_stack() {
        let helper = Some(("src/helper.rs".to_owned(), 7));
        let std = "/rustc/5980/library/core/src/iter/adapters/map.rs";
        for place in [at(std, 88), at("", 0), at("src/main.rs", 0)] {
            assert_eq!(of_beginning(&place), helper);
        }
    }

    #[test]
    fn directories_go_first_then_the_start_of_the_name() {
        let path = "orders/src/http/checkout.rs:118";
        assert_eq!(cut(path, 40), path);
        assert_eq!(cut(path, 25), "…/http/checkout.rs:118");
        assert_eq!(cut(path, 18), "…/checkout.rs:118");
        assert_eq!(cut(path, 10), "…ut.rs:118");
        assert_eq!(cut(path, 1), "…");
        assert_eq!(cut(path, 0), "");
    }

    #[test]
    fn a_library_is_named_by_its_crate() {
        let file = "/home/a/.cargo/registry/src/index-1949cf8c/hyper-util-0.1.2/src/server.rs";
        assert_eq!(place(file, 208, 60), "hyper-util-0.1.2/src/server.rs:208");
        assert_eq!(file_and_line(file, 208), "server.rs:208");
        assert_eq!(file_and_line("", 0), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(cut("資料/資料.rs:1", 9), "…料.rs:1");
    }
}
