//! The files that this process runs, as they were when they were loaded: what lies under their names by now may be the
//! next build, and its names would be those of other functions.

use std::collections::HashMap;

use pollscope_capture::stack::{self, ModuleInfo};
use pollscope_proto::symbols::{Address, Build, Module, Resolver};

use super::{Frame, Line};

/// The executable that runs, whatever has its name: the system's own link to it.
const OWN: &str = "/proc/self/exe";

/// Names of frames of this process.
pub(super) struct Names {
    resolver: Resolver,
    modules: HashMap<u32, Module>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self {
            resolver: Resolver::new(),
            modules: HashMap::new(),
        }
    }

    /// The functions that each frame stands for; none where nothing is known.
    pub(super) fn of(&mut self, frames: &[Frame]) -> Vec<Vec<Line>> {
        let infos = stack::modules();
        let mut named = Vec::with_capacity(frames.len());
        for frame in frames {
            let info = infos.get(frame.module as usize);
            named.push(info.map_or_else(Vec::new, |info| self.look_up(info, frame.offset)));
        }
        named
    }

    fn look_up(&mut self, info: &ModuleInfo, offset: u64) -> Vec<Line> {
        let module = self.modules.entry(info.index);
        let module = module.or_insert_with(|| loaded(info, inode_of));
        // Frames of `pollscope_capture::stack` lie inside the call already.
        let lines = self.resolver.resolve(module, offset, Address::Exact);
        lines
            .into_iter()
            .map(|line| Line {
                function: line.function,
                file: line.file,
                line: line.line,
                inlined: line.inlined,
            })
            .collect()
    }
}

/// The file of a module, and what must be so of it.
fn loaded(info: &ModuleInfo, inode: impl Fn(&ModuleInfo) -> u64) -> Module {
    // The first that was loaded.
    let is_own = info.index == 0;
    Module {
        path: if is_own { OWN } else { &info.path }.into(),
        name: (&info.path).into(),
        build: match &*info.build_id {
            "" if is_own => Build::Any,
            "" => Build::Inode(inode(info)),
            id => Build::Id(id.to_owned()),
        },
    }
}

/// The file that is mapped, by its number; that of none where it was unloaded.
fn inode_of(info: &ModuleInfo) -> u64 {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    inode_at(&maps, info.range.start).unwrap_or(0)
}

/// What is mapped at an address: `7f00-7f08 r--p 00000000 fe:01 4711    /usr/lib/libfoo.so`.
fn inode_at(maps: &str, address: u64) -> Option<u64> {
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (start, end) = fields.next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        let is_there = (hex(start)?..hex(end)?).contains(&address);
        fields.nth(3).filter(|_| is_there)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(index: u32, build_id: &str) -> ModuleInfo {
        ModuleInfo {
            index,
            path: "/srv/app".to_owned(),
            build_id: build_id.to_owned(),
            base: 0,
            range: 0..1,
            loaded: true,
        }
    }

    /// What is deployed anew has the name, and is not what runs.
    #[test]
    fn the_executable_is_read_by_the_systems_own_link_and_a_library_only_if_it_is_of_its_build() {
        let loaded = |index, id| loaded(&info(index, id), |_| 4711);
        let own = loaded(0, "ab01");
        assert_eq!(own.path.as_os_str(), OWN);
        assert_eq!(own.name.as_os_str(), "/srv/app", "app.dwp lies beside it");
        assert_eq!(own.build, Build::Id("ab01".to_owned()));
        assert_eq!(loaded(0, "").build, Build::Any);
        let library = loaded(1, "cd02");
        assert_eq!(library.path.as_os_str(), "/srv/app");
        assert_eq!(library.build, Build::Id("cd02".to_owned()));
        assert_eq!(loaded(1, "").build, Build::Inode(4711));
    }

    #[test]
    fn what_is_mapped_at_an_address_is_found_by_its_number() {
        let maps = "\
55d0c0a00000-55d0c0a45000 r--p 00000000 fe:01 4711                       /srv/app
7f10a8000000-7f10a8021000 rw-p 00000000 00:00 0
7f10b0c28000-7f10b0c2a000 r-xp 00001000 fe:01 815   /srv/a library.so (deleted)
";
        let at = |address| inode_at(maps, address);
        assert_eq!(at(0x55d0_c0a0_0000), Some(4711));
        assert_eq!(at(0x55d0_c0a4_4fff), Some(4711));
        assert_eq!(at(0x55d0_c0a4_5000), None);
        assert_eq!(at(0x7f10_a800_0010), Some(0));
        assert_eq!(at(0x7f10_b0c2_8000), Some(815));
        assert_eq!(inode_at("", 1), None);
    }

    #[test]
    fn a_frame_is_named_if_its_module_was_loaded_here() {
        stack::init();
        let here = info as fn(u32, &str) -> ModuleInfo as usize;
        let (module, offset) = stack::locate(here).expect("in this executable");
        let frames = [module, u32::MAX].map(|module| Frame { module, offset });
        let named = Names::new().of(&frames);
        let [here, nowhere] = named.as_slice() else {
            panic!("an answer for each: {named:?}");
        };
        let is_here = |line: &Line| line.function.contains("loaded::tests::info");
        assert!(here.iter().any(is_here), "{here:?}");
        assert!(nowhere.is_empty());
    }
}
