//! All threads of the process at once, and libraries that come and go while it runs.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![expect(unsafe_code, reason = "dlopen")]

use std::hint::black_box;
use std::io::{PipeReader, Read, pipe};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use pollscope_capture::stack::{
    End, Live, LiveStack, Marks, Method, Options, ThreadDump, ThreadHandle, function_start, init,
    locate, modules, refresh_modules,
};

#[inline(never)]
fn waits_here(mut reader: PipeReader) {
    let _ = black_box(&mut reader).read(&mut [0]);
    black_box(());
}

fn has(dump: &ThreadDump, function: *const ()) -> bool {
    dump.stack.as_ref().is_ok_and(|stack| {
        stack
            .frames()
            .iter()
            .any(|frame| function_start(*frame) == Some(function as usize))
    })
}

fn is_main(dump: &ThreadDump) -> bool {
    dump.tid == std::process::id() as i32
}

fn is_whole(dump: &ThreadDump) -> bool {
    dump.stack
        .as_ref()
        .is_ok_and(|stack| stack.end == End::Root)
}

/// Dumps until `found` is content: threads need a moment to fall asleep.
fn dump_until(
    live: &mut Live,
    registered: &[Arc<ThreadHandle>],
    found: impl Fn(&[ThreadDump]) -> bool,
) -> Vec<ThreadDump> {
    let begun = Instant::now();
    loop {
        let dump = live.all_threads(registered);
        if found(&dump) {
            return dump;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{dump:#?}");
    }
}

#[test]
fn every_thread_is_there_with_its_name_and_stack_registered_or_not() {
    init();
    let mut live = Live::new(Options::default());
    thread::scope(|scope| {
        let (reader, writer) = pipe().unwrap();
        let (other_reader, other_writer) = pipe().unwrap();
        let (send, receive) = mpsc::channel();
        let known = thread::Builder::new().name("known".to_owned());
        known
            .spawn_scoped(scope, move || {
                send.send(ThreadHandle::current(Marks::none())).unwrap();
                waits_here(reader);
            })
            .unwrap();
        let stranger = thread::Builder::new().name("stranger".to_owned());
        stranger
            .spawn_scoped(scope, move || waits_here(other_reader))
            .unwrap();
        let registered = [Arc::new(receive.recv().unwrap())];
        let waits = waits_here as *const ();
        let dump = dump_until(&mut live, &registered, |dump| {
            // The main thread sleeps until the tests are done, but may still be on its way there.
            dump.iter().filter(|thread| has(thread, waits)).count() == 2
                && dump
                    .iter()
                    .any(|thread| is_main(thread) && is_whole(thread))
        });
        for name in ["known", "stranger"] {
            let thread = dump.iter().find(|thread| thread.name == name).unwrap();
            let stack = thread.stack.as_ref().unwrap();
            assert!(has(thread, waits), "{name}");
            assert_eq!(
                (stack.method, stack.end),
                (Method::Peek, End::Root),
                "{name}"
            );
            assert_eq!(thread.registered, name == "known");
        }
        // The thread that asks is one of them.
        assert!(dump.iter().any(|thread| {
            let own = |stack: &LiveStack| stack.method == Method::Own;
            thread.stack.as_ref().is_ok_and(own)
        }));
        drop((writer, other_writer));
    });
}

#[test]
fn a_library_loaded_later_is_found_and_keeps_its_number_when_it_goes() {
    init();
    // Part of every C library's installation, and nothing here links to it.
    let candidates = [
        c"libutil.so.1",
        c"librt.so.1",
        c"libanl.so.1",
        c"libBrokenLocale.so.1",
    ];
    let loaded = candidates.iter().find_map(|name| {
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
        (!handle.is_null()).then_some((name.to_str().unwrap(), handle))
    });
    let Some((name, library)) = loaded else {
        println!("skipped: none of {candidates:?} is installed");
        return;
    };
    refresh_modules();
    let list = modules();
    let module = list.iter().find(|m| m.path.ends_with(name)).unwrap();
    assert!(module.loaded);
    let inside = (module.range.start..module.range.end)
        .step_by(64)
        .map(|at| at as usize)
        .find(|at| locate(*at).is_some())
        .unwrap();
    assert_eq!(
        locate(inside),
        Some((module.index, inside as u64 - module.base))
    );
    assert_eq!(unsafe { libc::dlclose(library) }, 0);
    refresh_modules();
    let after = modules();
    assert_eq!(after[module.index as usize].path, module.path);
    if !after[module.index as usize].loaded {
        assert_eq!(
            locate(inside),
            Some((module.index, inside as u64 - module.base))
        );
    }
}
