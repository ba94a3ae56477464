//! Which file here belongs to a module of the target.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pollscope_proto::symbols::{
    build_id, debug_link, describe, leads_elsewhere, package_of, same_layout,
};

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

impl Files {
    pub(in crate::net) fn new(from: SymbolsFrom, pid: Option<u32>, exe: PathBuf) -> Self {
        Self { from, pid, exe }
    }

    /// The file to look frames of the module up in: of those that are of its build, the one that tells most; one of
    /// `--symbols` where they tell the same.
    pub(super) fn find(&self, module: &Module) -> Option<PathBuf> {
        let mut fitting = self.given(module);
        fitting.extend(self.running(module));
        fitting.retain(|file| self.fits(file, module));
        if fitting.len() < 2 {
            return fitting.pop();
        }
        // The last of the greatest is taken.
        let told = fitting.into_iter().rev();
        told.max_by_key(|file| describe(file).detail)
    }

    /// Whether to look frames up in it opens nothing that somebody else chose. Where it may, the target is asked: it
    /// trusts its own files.
    pub(super) fn may_be_used(&self, file: &Path) -> bool {
        self.is_ours(file) || !leads_elsewhere(file)
    }

    /// Given by the user, or this user's own or root's where we see what its names mean.
    fn is_ours(&self, file: &Path) -> bool {
        let given = self.from.0.as_ref();
        if given.is_some_and(|given| file.starts_with(given)) {
            return true;
        }
        let own = fs::metadata(file).is_ok_and(|meta| [0, own_uid()].contains(&meta.uid()));
        let namespace = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
        let here = self.pid.and_then(|pid| namespace(&pid.to_string()));
        own && here.is_some() && here == namespace("self")
    }

    /// Those of `--symbols` that are of the module's build.
    pub(super) fn given_and_fitting(&self, module: &Module) -> Vec<PathBuf> {
        let mut given = self.given(module);
        given.retain(|file| self.fits(file, module));
        given
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

    /// Whether the file is of the module's build: by build id, else by what the module's own file looks like.
    fn fits(&self, file: &Path, module: &Module) -> bool {
        if !file.is_file() {
            return false;
        }
        if !module.build_id.is_empty() {
            return build_id(file).is_some_and(|id| id.eq_ignore_ascii_case(&module.build_id));
        }
        match self.own_file(module) {
            Some(own) => own == file || same_layout(file, &own),
            None => true,
        }
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
    fn running(&self, module: &Module) -> Vec<PathBuf> {
        let Some(own) = self.own_file(module) else {
            return Vec::new();
        };
        let mut files = Vec::new();
        if let Some(beside) = self.inside(&module.path) {
            if self.is_exe(module) && package_of(&beside).is_file() && is_same_file(&beside, &own) {
                // By its name, or the package beside it is not found.
                files.push(beside.clone());
            }
            files.extend(split_off(&own, &beside, module));
        }
        files.insert(0, own);
        files
    }

    /// The module's own file, where it can be read here. Of the executable the very one that runs, also where another
    /// has its name by now.
    fn own_file(&self, module: &Module) -> Option<PathBuf> {
        let file = if self.is_exe(module) {
            PathBuf::from(format!("/proc/{}/exe", self.pid?))
        } else {
            self.inside(&module.path)?
        };
        file.is_file().then_some(file)
    }

    /// A path as the process sees it: it may live in a container.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix("/").ok()?;
        Some(PathBuf::from(format!("/proc/{}/root", self.pid?)).join(inside))
    }
}

/// Where debuggers look for the debug information of a file. Without a build id nothing tells whether it is the right
/// one.
fn split_off(own: &Path, beside: &Path, module: &Module) -> Vec<PathBuf> {
    if module.build_id.is_empty() {
        return Vec::new();
    }
    let by_id = by_build_id(&module.build_id);
    let mut files: Vec<_> = by_id
        .map(|path| Path::new("/usr/lib/debug").join(path))
        .into_iter()
        .collect();
    if let Some((link, dir)) = debug_link(own).zip(beside.parent()) {
        files.push(dir.join(&link));
        files.push(dir.join(".debug").join(&link));
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

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
    id(one).is_some() && id(one) == id(other)
}

/// Whether the process of that number here is the target: its start time agrees with what the target says.
pub(in crate::net) fn is_local(pid: u32, start_time_ticks: u64) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let start_time = pollscope_proto::sockets::start_time(&String::from_utf8_lossy(&stat));
    start_time_ticks != 0 && start_time == Some(start_time_ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own_module() -> Module {
        let exe = std::env::current_exe().unwrap();
        Module {
            index: 0,
            build_id: build_id(&exe).unwrap_or_default(),
            path: exe,
        }
    }

    fn files(from: Option<PathBuf>, pid: Option<u32>) -> Files {
        Files::new(SymbolsFrom(from), pid, std::env::current_exe().unwrap())
    }

    #[test]
    fn the_running_executable_is_found_by_pid() {
        let pid = std::process::id();
        let found = files(None, Some(pid)).find(&own_module()).unwrap();
        assert_eq!(found, PathBuf::from(format!("/proc/{pid}/exe")));
        assert_eq!(files(None, None).find(&own_module()), None);
    }

    #[test]
    fn another_build_is_not_taken() {
        let module = Module {
            build_id: "00".repeat(20),
            ..own_module()
        };
        assert_eq!(files(None, Some(std::process::id())).find(&module), None);
        assert_eq!(files(Some(module.path.clone()), None).find(&module), None);
    }

    #[test]
    fn given_files_go_first() {
        let module = own_module();
        let given = files(Some(module.path.clone()), Some(std::process::id()));
        assert_eq!(given.find(&module), Some(module.path.clone()));
        let dir = module.path.parent().unwrap().to_owned();
        assert_eq!(files(Some(dir), None).find(&module), Some(module.path));
    }

    #[test]
    fn a_pid_of_another_machine_is_not_ours() {
        let own = std::process::id();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let ticks = pollscope_proto::sockets::start_time(&stat).unwrap();
        assert!(is_local(own, ticks));
        assert!(!is_local(own, ticks + 1));
        assert!(!is_local(own, 0));
    }
}
