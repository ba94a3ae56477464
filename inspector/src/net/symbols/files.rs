//! Which file here belongs to a module of the target.

use std::fs;
use std::path::{Path, PathBuf};

use pollscope_proto::symbols::build_id;

use super::Module;

/// Where `--symbols` says debug information lies: an executable, or a directory of such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolsFrom(pub Option<PathBuf>);

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

    /// The file to look frames of the module up in: one of `--symbols` first, else the running executable.
    pub(super) fn find(&self, module: &Module) -> Option<PathBuf> {
        let given = self.given(module).into_iter();
        given
            .chain(self.running(module))
            .find(|file| file.is_file() && same_build(file, module))
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
        let id = &module.build_id;
        if id.len() > 2 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let (first, rest) = id.split_at(2);
            files.push(
                from.join(".build-id")
                    .join(first)
                    .join(format!("{rest}.debug")),
            );
            files.push(from.join(id));
        }
        files
    }

    fn running(&self, module: &Module) -> Option<PathBuf> {
        let process = PathBuf::from(format!("/proc/{}", self.pid?));
        if self.is_exe(module) {
            return Some(process.join("exe"));
        }
        // As the process sees it: it may live in a container.
        let inside = module.path.strip_prefix("/").ok()?;
        Some(process.join("root").join(inside))
    }

    fn is_exe(&self, module: &Module) -> bool {
        module.index == 0 && module.path.as_os_str().is_empty() || module.path == self.exe
    }
}

fn same_build(file: &Path, module: &Module) -> bool {
    module.build_id.is_empty()
        || build_id(file).is_some_and(|id| id.eq_ignore_ascii_case(&module.build_id))
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
