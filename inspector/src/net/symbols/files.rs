//! Which file here belongs to a module of the target.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pollscope_proto::symbols::{Binary, Description, Image};

use super::{Module, SymbolsFrom};
use crate::net::discover::own_uid;

/// The files that may belong to the modules of one target.
#[derive(Clone, Debug)]
pub(in crate::net) struct Files {
    from: SymbolsFrom,
    /// The target's PID here; `None` for a target of another machine.
    pid: Option<u32>,
    /// The target's executable, as it names it.
    exe: PathBuf,
}

/// An opened file that is of a module's build.
#[derive(Debug)]
pub(super) struct Found {
    image: Image,
    /// The name that a package lies beside.
    name: PathBuf,
}

impl Found {
    pub(super) fn describe(&self) -> Description {
        self.image.describe(&self.name)
    }

    pub(super) fn into_binary(self) -> Binary {
        Binary::from(self.image).beside(&self.name)
    }
}

impl Files {
    pub(in crate::net) fn new(from: SymbolsFrom, pid: Option<u32>, exe: PathBuf) -> Self {
        Self { from, pid, exe }
    }

    /// The file to look frames of the module up in: of those that are of its build, the one that tells most; one of
    /// `--symbols` where they tell the same.
    ///
    /// Each is opened once: what was compared with the module is what will be read, whatever has its name by then.
    pub(super) fn find(&self, module: &Module) -> Option<Found> {
        let own = self.own_file(module);
        let mut fitting = self.given_and_fitting(module, own.as_ref());
        fitting.extend(self.running(module, own));
        if fitting.len() < 2 {
            return fitting.pop();
        }
        // The last of the greatest is taken.
        let told = fitting.into_iter().rev();
        told.max_by_key(|found| found.describe().detail)
    }

    /// Those of `--symbols` that are of the module's build.
    fn given_and_fitting(&self, module: &Module, own: Option<&Image>) -> Vec<Found> {
        let opened = self.given(module).into_iter().filter_map(|path| {
            let image = Image::open(&path)?.trusted();
            fits(&image, module, own).then_some(Found { image, name: path })
        });
        opened.collect()
    }

    /// Whether `--symbols` has a file of the module's build.
    pub(super) fn is_given(&self, module: &Module) -> bool {
        let own = self.own_file(module);
        !self.given_and_fitting(module, own.as_ref()).is_empty()
    }

    /// Where the module's build id can be compared with nothing, because it has none and its file cannot be read here.
    pub(super) fn is_unchecked(&self, module: &Module) -> bool {
        module.build_id.is_empty() && self.own_file(module).is_none()
    }

    pub(super) fn from(&self) -> &SymbolsFrom {
        &self.from
    }

    pub(super) fn is_exe(&self, module: &Module) -> bool {
        module.index == 0 && module.path.as_os_str().is_empty() || module.path == self.exe
    }

    fn given(&self, module: &Module) -> Vec<PathBuf> {
        let Some(from) = &self.from.0 else {
            return Vec::new();
        };
        if !from.is_dir() {
            // Without a build id only the executable can be meant.
            let may_be = !module.build_id.is_empty() || self.is_exe(module);
            return may_be.then(|| from.clone()).into_iter().collect();
        }
        let mut files = Vec::new();
        if let Some(name) = module.path.file_name() {
            files.push(from.join(name));
            let mut debug = name.to_owned();
            debug.push(".debug");
            files.push(from.join(debug));
        }
        if let Some(path) = by_build_id(&module.build_id) {
            files.push(from.join(path));
            files.push(from.join(&module.build_id));
        }
        files
    }

    /// The module's file as the process has it, and what others keep of it: debug information that was split off.
    fn running(&self, module: &Module, own: Option<Image>) -> Vec<Found> {
        let Some(own) = own.filter(|own| fits(own, module, Some(own))) else {
            return Vec::new();
        };
        // By its name lies the package beside it. A package of another build is not taken: each of its units carries a
        // number of its own.
        let name = self
            .inside(&module.path)
            .unwrap_or_else(|| own.path().to_owned());
        let others = split_off(&own, &name, module).into_iter();
        let others: Vec<_> = others
            .filter_map(|path| {
                let image = self.judged(Image::open(&path)?);
                fits(&image, module, Some(&own)).then_some(Found { image, name: path })
            })
            .collect();
        let mut found = vec![Found { image: own, name }];
        found.extend(others);
        found
    }

    /// The module's own file, where it can be read here. Of the executable the very one that runs, also where another
    /// has its name by now.
    fn own_file(&self, module: &Module) -> Option<Image> {
        let path = if self.is_exe(module) {
            PathBuf::from(format!("/proc/{}/exe", self.pid?))
        } else {
            self.inside(&module.path)?
        };
        Some(self.judged(Image::open(&path)?))
    }

    /// Trusts what is this user's own or root's, where we see what its names mean: it may lead to more files. A file of
    /// a container may be made by anybody.
    fn judged(&self, image: Image) -> Image {
        let own = [0, own_uid()].contains(&image.metadata().uid());
        let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
        let here = self.pid.and_then(|pid| namespace(&pid.to_string()));
        if own && here.is_some() && here == namespace("self") {
            image.trusted()
        } else {
            image
        }
    }

    /// A path as the process sees it: it may live in a container.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix("/").ok()?;
        Some(PathBuf::from(format!("/proc/{}/root", self.pid?)).join(inside))
    }
}

/// Whether the file is of the module's build: by build id, else by what the module's own file looks like.
fn fits(image: &Image, module: &Module, own: Option<&Image>) -> bool {
    if !module.build_id.is_empty() {
        let id = image.build_id();
        return id.is_some_and(|id| id.eq_ignore_ascii_case(&module.build_id));
    }
    own.is_none_or(|own| std::ptr::eq(own, image) || image.same_layout(own))
}

/// Where debuggers look for the debug information of a file. Without a build id nothing tells whether it is the right
/// one.
fn split_off(own: &Image, beside: &Path, module: &Module) -> Vec<PathBuf> {
    if module.build_id.is_empty() {
        return Vec::new();
    }
    let by_id = by_build_id(&module.build_id);
    let mut files: Vec<_> = by_id
        .map(|path| Path::new("/usr/lib/debug").join(path))
        .into_iter()
        .collect();
    if let Some((link, dir)) = own.debug_link().zip(beside.parent()) {
        files.push(dir.join(link));
        files.push(dir.join(".debug").join(link));
    }
    files
}

/// `.build-id/ab/cdef….debug`: how distributions keep debug information.
pub(super) fn by_build_id(id: &str) -> Option<PathBuf> {
    if id.len() < 3 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let (first, rest) = id.split_at(2);
    Some(
        [".build-id", first, &format!("{rest}.debug")]
            .iter()
            .collect(),
    )
}

/// Whether the process of that number here is the target: its start time agrees with what the target says.
pub(in crate::net) fn is_local(pid: u32, start_time_ticks: u64) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let start_time = pollscope_proto::sockets::start_time(&String::from_utf8_lossy(&stat));
    start_time_ticks != 0 && start_time == Some(start_time_ticks)
}

#[cfg(test)]
mod tests;
