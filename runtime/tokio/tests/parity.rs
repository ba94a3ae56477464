//! Every method of the mirror, called as Tokio's documentation calls Tokio's: if one is missing or has another shape,
//! this file does not compile. It compiles against Tokio itself as well, so it cannot ask for more than Tokio has.

use std::time::Duration;

/// The same program, over whichever crate is named.
macro_rules! program {
    ($name:ident, $tokio:ident) => {
        mod $name {
            use super::*;
            use std::future::Future;
            use std::pin::Pin;
            use std::task::{Context, Poll};
            use $tokio::runtime::{self, EnterGuard, LocalOptions, LocalRuntime, RuntimeFlavor, TryCurrentError};
            use $tokio::task::{AbortHandle, Id, JoinError, JoinHandle, JoinSet, LocalEnterGuard, LocalSet};
            use $tokio::{select, task};

            $tokio::task_local! {
                static REQUEST: u32;
            }

            fn builder() -> std::io::Result<runtime::Runtime> {
                runtime::Builder::new_multi_thread()
                    .enable_all()
                    .enable_time()
                    .worker_threads(2)
                    .max_blocking_threads(4)
                    .thread_name("parity")
                    .thread_name_fn(|| "parity".to_owned())
                    .name("parity")
                    .thread_stack_size(2 << 20)
                    .on_thread_start(|| {})
                    .on_thread_stop(|| {})
                    .on_thread_park(|| {})
                    .on_thread_unpark(|| {})
                    .thread_keep_alive(Duration::from_secs(1))
                    .global_queue_interval(31)
                    .event_interval(61)
                    .build()
            }

            #[cfg(all(feature = "process", unix))]
            async fn children() -> std::io::Result<()> {
                use std::process::Stdio;
                use $tokio::io::{AsyncReadExt, AsyncWriteExt};
                use $tokio::process::{Child, ChildStdout, Command};

                fn cat() -> std::io::Result<Child> {
                    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
                }
                let mut child: Child = cat()?;
                // Both at once, in place.
                let (stdin, stdout) = (child.stdin.as_mut().expect("piped"), child.stdout.as_mut().expect("piped"));
                stdin.write_all(b"a").await?;
                assert_eq!(stdout.read_u8().await?, b'a');
                assert!(child.id().is_some());
                assert!(child.try_wait()?.is_none());
                assert!(child.wait().await?.success(), "and its input was closed");
                assert!(child.id().is_none());
                // Moved out, by name and by pattern.
                let mut killed = cat()?;
                killed.kill().await?;
                let _stdout: ChildStdout = killed.stdout.expect("piped");
                let mut child = cat()?;
                child.start_kill()?;
                child.wait().await?;
                let Child { stdout, stderr, .. } = child;
                assert!(stdout.is_some() && stderr.is_none());
                let mut child = cat()?;
                child.stdin.take().expect("piped").write_all(b"b").await?;
                assert_eq!(child.wait_with_output().await?.stdout, b"b");
                Ok(())
            }

            async fn handles() {
                fn is<T: Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe>(_: &T) {}
                let handle: JoinHandle<u32> = task::spawn(async { 1 });
                is(&handle);
                let _: bool = handle.is_finished();
                let abort: AbortHandle = handle.abort_handle();
                let id: Id = handle.id();
                assert_eq!(id, abort.id());
                assert_eq!(format!("{handle:?}"), format!("JoinHandle {{ id: {id:?} }}"));
                let ended: Result<u32, JoinError> = handle.await;
                assert_eq!(ended.expect("it ends"), 1);
                let stuck = $tokio::spawn(std::future::pending::<()>());
                stuck.abort();
                assert!(stuck.await.expect_err("it was aborted").is_cancelled());
                let inside = task::spawn(async { (task::id(), task::try_id()) });
                let id = inside.id();
                assert_eq!(inside.await.expect("it ends"), (id, Some(id)));
                assert_eq!(task::spawn_blocking(|| 2).await.expect("it ends"), 2);
                assert_eq!(task::block_in_place(|| 3), 3);
                task::yield_now().await;
                task::coop::unconstrained(task::yield_now()).await;
                task::coop::consume_budget().await;
                assert!(task::coop::has_budget_remaining());
                REQUEST.scope(7, async { assert_eq!(REQUEST.get(), 7) }).await;
            }

            async fn sets(handle: &runtime::Handle) {
                let mut set: JoinSet<u32> = JoinSet::new();
                let _: AbortHandle = set.spawn(async { 1 });
                set.spawn_on(async { 2 }, handle);
                set.spawn_blocking(|| 3);
                set.spawn_blocking_on(|| 4, handle);
                assert_eq!((set.len(), set.is_empty()), (4, false));
                assert_eq!(format!("{set:?}"), "JoinSet { len: 4 }");
                let mut sum = 0;
                sum += set.join_next().await.expect("four").expect("it ends");
                let (_, n): (Id, u32) = set.join_next_with_id().await.expect("three").expect("it ends");
                sum += n;
                sum += std::future::poll_fn(|cx| set.poll_join_next(cx)).await.expect("two").expect("it ends");
                let last = std::future::poll_fn(|cx| set.poll_join_next_with_id(cx)).await;
                sum += last.expect("one").expect("it ends").1;
                assert_eq!(sum, 10);
                assert!(set.try_join_next().is_none() && set.try_join_next_with_id().is_none());
                set.extend([std::future::ready(5), std::future::ready(6)]);
                set.abort_all();
                set.shutdown().await;
                set.spawn(async { 7 });
                set.detach_all();
                let all: JoinSet<u32> = [std::future::ready(8)].into_iter().collect();
                assert_eq!(all.join_all().await, [8]);
                assert!(JoinSet::<u32>::default().is_empty());
            }

            async fn local(runtime: &runtime::Handle) {
                let set = LocalSet::new();
                let _: runtime::Id = set.id();
                {
                    let _entered: LocalEnterGuard = set.enter();
                    drop(task::spawn_local(async {}));
                }
                let handle: JoinHandle<u32> = set.spawn_local(async { 1 });
                assert_eq!(set.run_until(handle).await.expect("it ends"), 1);
                let mut joined = JoinSet::new();
                joined.spawn_local_on(async { 2 }, &set);
                set.run_until(async { joined.spawn_local(async { 3 }) }).await;
                assert!(!format!("{set:?}").is_empty());
                set.await;
                assert_eq!(joined.join_all().await.len(), 2);
                LocalSet::default().await;
                let _: RuntimeFlavor = runtime.runtime_flavor();
            }

            fn runtimes() {
                fn is<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe + std::fmt::Debug>(_: &T) {}
                let runtime = builder().expect("a runtime");
                is(&runtime);
                let handle: &runtime::Handle = runtime.handle();
                is(handle);
                assert_eq!(handle.runtime_flavor(), RuntimeFlavor::MultiThread);
                assert_eq!(handle.name(), Some("parity"));
                let _: runtime::Id = handle.id();
                let _: runtime::RuntimeMetrics = handle.metrics();
                assert_eq!(runtime.metrics().num_workers(), 2);
                assert_eq!(handle.block_on(handle.spawn(async { 1 })).expect("it ends"), 1);
                assert_eq!(runtime.block_on(runtime.spawn(async { 2 })).expect("it ends"), 2);
                assert_eq!(handle.block_on(handle.spawn_blocking(|| 3)).expect("it ends"), 3);
                assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 4)).expect("it ends"), 4);
                let outside: Result<runtime::Handle, TryCurrentError> = runtime::Handle::try_current();
                assert!(outside.expect_err("outside").is_missing_context());
                {
                    let _entered: EnterGuard<'_> = runtime.enter();
                    let _again: EnterGuard<'_> = handle.enter();
                    assert_eq!(runtime::Handle::current().id(), handle.id());
                }
                runtime.block_on(handles_on_a_worker());
                runtime.block_on(sets(handle));
                runtime.block_on(local(handle));
                runtime.block_on(macros());
                runtime.shutdown_timeout(Duration::from_secs(5));
                runtime::Runtime::new().expect("a runtime").shutdown_background();

                let one = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                assert_eq!(LocalSet::new().block_on(&one, async { 5 }), 5);

                let local = LocalRuntime::new().expect("a runtime");
                is(&local);
                let _: &runtime::Handle = local.handle();
                assert_eq!(local.block_on(local.spawn_local(async { 6 })).expect("it ends"), 6);
                assert_eq!(local.block_on(local.spawn_blocking(|| 7)).expect("it ends"), 7);
                let _ = (local.metrics(), local.enter());
                local.shutdown_timeout(Duration::from_secs(5));
                let built = runtime::Builder::new_current_thread().build_local(LocalOptions::default());
                built.expect("a runtime").shutdown_background();
            }

            async fn handles_on_a_worker() {
                task::spawn(handles()).await.expect("it ends");
                #[cfg(all(feature = "process", unix))]
                children().await.expect("cat is there");
            }

            /// Ends at its second poll.
            struct Second(bool);

            impl Future for Second {
                type Output = ();
                fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                    cx.waker().wake_by_ref();
                    if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
                }
            }

            /// No future, but it becomes one.
            struct Later;
            impl std::future::IntoFuture for Later {
                type Output = u8;
                type IntoFuture = std::future::Ready<u8>;
                fn into_future(self) -> Self::IntoFuture {
                    std::future::ready(8)
                }
            }

            /// The grammar of the macros, and what their handlers may do to the function around.
            async fn macros() {
                async fn early() -> Result<u32, String> {
                    loop {
                        select! {
                            biased;
                            _ = std::future::pending::<()>(), if false => break,
                            Some(_) = async { None::<u8> } => unreachable!("the pattern does not match"),
                            text = async { Err::<u32, _>("early") } => { text?; }
                            else => return Ok(0),
                        }
                    }
                    Ok(1)
                }
                assert_eq!(early().await.expect_err("by `?`"), "early");
                let none = select! { else => 7 };
                assert_eq!(none, 7);
                let disabled = select! {
                    () = Second(false), if none == 0 => 1,
                    else => 2,
                };
                assert_eq!(disabled, 2);
                // A temporary that must live as long as the macro.
                let (mut a, b) = (Second(false), 3);
                let borrowed = select! {
                    () = &mut a => b,
                    () = &mut Second(false), if b == 0 => { 4 },
                };
                assert_eq!(borrowed, 3);
                let matched = select! {
                    biased;
                    Ok(n) | Err(n) = async { Ok::<u8, u8>(5) } => match n { 5 => "five", _ => "other" },
                };
                assert_eq!(matched, "five");
                let mut taken = Some(6);
                select! {
                    n = std::future::ready(6) => assert_eq!(taken.take(), Some(n)),
                }
                assert_eq!(select! { n = Later => n, }, 8);
                assert_eq!($tokio::join!(Later, Second(false),), (8, ()));
                assert_eq!($tokio::join!(biased; Later), (8,));
                $tokio::join!();
                let both: Result<(u8, u8), ()> = $tokio::try_join!(async { Ok(1) }, async { Ok(2) });
                assert_eq!(both, Ok((1, 2)));
                let failed: Result<(u8, u8), &str> = $tokio::try_join!(biased; async { Err("no") }, async { Ok(2) },);
                assert_eq!(failed, Err("no"));
                let empty: Result<(), ()> = $tokio::try_join!();
                assert_eq!(empty, Ok(()));
                // Branches by turns.
                let mut wins = [0_u32; 2];
                for _ in 0..200 {
                    select! {
                        () = std::future::ready(()) => wins[0] += 1,
                        () = std::future::ready(()) => wins[1] += 1,
                    }
                }
                assert!(wins.iter().all(|wins| *wins > 40), "fair as Tokio's: {wins:?}");
            }

            #[test]
            fn runs() {
                runtimes();
            }
        }
    };
}

program!(tokios, tokio);
program!(ours, pollscope_tokio);

/// What needs a feature of Tokio's needs the same of ours.
#[cfg(all(feature = "net", feature = "test-util"))]
#[test]
fn methods_behind_features() {
    let mut builder = pollscope_tokio::runtime::Builder::new_current_thread();
    builder
        .enable_io()
        .max_io_events_per_tick(64)
        .enable_time()
        .start_paused(true);
    builder
        .build()
        .expect("a runtime")
        .block_on(async { pollscope_tokio::time::sleep(Duration::from_secs(3600)).await });
}

/// What Tokio has under `tokio_unstable` only, and we always.
#[test]
fn names_on_stable() {
    use pollscope_tokio::task::{Builder, JoinHandle, JoinSet, LocalSet};
    let runtime = pollscope_tokio::runtime::Runtime::new().expect("a runtime");
    let on = runtime.handle();
    runtime.block_on(async {
        let named = || Builder::new().name("named");
        let set = LocalSet::new();
        let spawned: std::io::Result<JoinHandle<u32>> = named().spawn(async { 1 });
        assert_eq!(spawned.expect("never fails").await.expect("it ends"), 1);
        assert_eq!(
            named()
                .spawn_on(async { 2 }, on)
                .expect("never fails")
                .await
                .expect("it ends"),
            2
        );
        assert_eq!(
            named()
                .spawn_blocking(|| 3)
                .expect("never fails")
                .await
                .expect("it ends"),
            3
        );
        assert_eq!(
            named()
                .spawn_blocking_on(|| 4, on)
                .expect("never fails")
                .await
                .expect("it ends"),
            4
        );
        let local = named()
            .spawn_local_on(async { 5 }, &set)
            .expect("never fails");
        assert_eq!(set.run_until(local).await.expect("it ends"), 5);
        let local = set
            .run_until(async { named().spawn_local(async { 6 }).expect("never fails").await })
            .await;
        assert_eq!(local.expect("it ends"), 6);

        let mut joined = JoinSet::new();
        joined
            .build_task()
            .name("in a set")
            .spawn(async { 1 })
            .expect("never fails");
        joined
            .build_task()
            .spawn_on(async { 1 }, on)
            .expect("never fails");
        joined
            .build_task()
            .spawn_blocking(|| 1)
            .expect("never fails");
        joined
            .build_task()
            .spawn_blocking_on(|| 1, on)
            .expect("never fails");
        joined
            .build_task()
            .spawn_local_on(async { 1 }, &set)
            .expect("never fails");
        set.run_until(async { drop(joined.build_task().spawn_local(async { 1 })) })
            .await;
        set.await;
        assert_eq!(joined.join_all().await.len(), 6);
    });
}

/// What Tokio re-exports is there under the same path.
#[test]
fn the_rest_is_tokios() {
    fn same<T>(_: &T, _: &T) {}
    let (a, _) = pollscope_tokio::sync::oneshot::channel::<u8>();
    let (b, _) = tokio::sync::oneshot::channel::<u8>();
    same(&a, &b);
    same(
        &pollscope_tokio::time::Instant::now(),
        &tokio::time::Instant::now(),
    );
    let _: fn(pollscope_tokio::task::AbortHandle) -> tokio::task::AbortHandle = |abort| abort;
    let _: fn(pollscope_tokio::io::Empty) -> tokio::io::Empty = |empty| empty;
}

#[cfg(tokio_unstable)]
#[test]
fn unstable_methods_of_the_builder() {
    use pollscope_tokio::runtime::{
        Builder, HistogramConfiguration, LogHistogram, RngSeed, UnhandledPanic,
    };
    let runtime = Builder::new_current_thread()
        .on_task_spawn(|meta| _ = meta.id())
        .on_before_task_poll(|_| {})
        .on_after_task_poll(|_| {})
        .on_task_terminate(|_| {})
        .unhandled_panic(UnhandledPanic::Ignore)
        .disable_lifo_slot()
        .rng_seed(RngSeed::from_bytes(b"parity"))
        .enable_metrics_poll_time_histogram()
        .metrics_poll_time_histogram_configuration(HistogramConfiguration::log(
            LogHistogram::default(),
        ))
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(runtime.spawn(async {})).expect("it ends");
    let mut set = pollscope_tokio::task::LocalSet::new();
    set.unhandled_panic(UnhandledPanic::Ignore);
}
