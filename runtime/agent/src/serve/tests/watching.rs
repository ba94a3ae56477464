//! The live stream: rows, order, window, and what is told once.

use tonic::Code;

use super::tasks::Task;
use super::*;

#[tokio::test]
async fn one_update_and_the_end() {
    let server = server();
    let tasks: Vec<_> = (0..3)
        .map(|at| Task::pending(&format!("watching-once-{at}")))
        .collect();
    let mut client = open(&server, Rights::Read).await;
    let parts = once(&mut client, named("watching-once"))
        .await
        .expect("an update");
    assert_eq!(parts.len(), 1);
    let part = &parts[0];
    assert!(part.last && part.seq == 1 && part.view == 1);
    assert_eq!((part.matched, part.tasks.len()), (3, 3));
    let totals = part.totals.as_ref().expect("totals");
    assert!(totals.tasks >= 3 && totals.unpolled >= 3, "{totals:?}");
    assert_eq!(
        totals.tasks,
        totals.running + totals.scheduled + totals.idle + totals.unpolled
    );
    let site = part.tasks[0].site;
    assert!(part.tasks.iter().all(|task| task.site == site));
    let told: Vec<_> = part
        .site_names
        .iter()
        .filter(|told| told.id == site)
        .collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].file.ends_with("watching.rs") && told[0].line > 0);
    drop(tasks);
}

#[tokio::test]
async fn filter_order_and_window() {
    let server = server();
    let mut tasks: Vec<_> = (0..40)
        .map(|at| Task::pending(&format!("watching-window-{at:02}")))
        .collect();
    // The higher the number, the more polls; the first ten have none.
    for (at, task) in tasks.iter_mut().enumerate() {
        (10..=at).for_each(|_| assert!(task.poll().is_pending()));
    }
    let mut client = open(&server, Rights::Read).await;
    let view = v1::View {
        order: "polls".into(),
        descending: true,
        offset: 2,
        limit: 3,
        ..named("watching-window")
    };
    let parts = once(&mut client, view).await.expect("an update");
    assert_eq!(
        names(&parts),
        [
            "watching-window-37",
            "watching-window-36",
            "watching-window-35"
        ]
    );
    assert_eq!(parts[0].matched, 40);
    let unpolled = v1::View {
        filter: "name:watching-window state:unpolled".into(),
        order: "name".into(),
        descending: true,
        limit: 2,
        ..v1::View::default()
    };
    let parts = once(&mut client, unpolled).await.expect("an update");
    assert_eq!(names(&parts), ["watching-window-09", "watching-window-08"]);
    assert_eq!(parts[0].matched, 10);
    let beyond = v1::View {
        offset: 100,
        ..named("watching-window")
    };
    let parts = once(&mut client, beyond).await.expect("an update");
    assert_eq!((parts[0].matched, parts[0].tasks.len()), (40, 0));
    let none = v1::View {
        limit: 0,
        ..named("watching-window")
    };
    let parts = once(&mut client, none).await.expect("an update");
    assert_eq!((parts[0].matched, parts[0].tasks.len()), (40, 0));
}

#[tokio::test]
async fn labels_are_told_and_found() {
    let server = server();
    let mut tasks: Vec<_> = (0..3)
        .map(|order| {
            Task::new(&format!("watching-label-{order}"), async move {
                assert!(pollscope_capture::task::label(&format!("Order={order}")));
                std::future::pending::<()>().await;
            })
        })
        .collect();
    // The last one has not come to say so.
    assert!(tasks[..2].iter_mut().all(|task| task.poll().is_pending()));
    let mut client = open(&server, Rights::Read).await;
    for (filter, wanted) in [
        ("label:order=1", &["watching-label-1"][..]),
        ("label:order", &["watching-label-0", "watching-label-1"]),
        ("!label:order", &["watching-label-2"]),
        ("label:order=", &[]),
    ] {
        let view = v1::View {
            filter: format!("name:watching-label {filter}"),
            order: "name".into(),
            ..named("")
        };
        let parts = once(&mut client, view).await.expect("an update");
        assert_eq!(names(&parts), wanted, "{filter}");
        for task in parts.iter().flat_map(|part| &part.tasks) {
            let order = task.labels.get("Order").map(|order| &**order);
            let own = task.name.strip_prefix("watching-label-");
            assert!(order.is_none_or(|order| Some(order) == own), "{task:?}");
        }
    }
}

/// Edge case 59: what has ended is shown where it is asked for, as long as its handle is held.
#[tokio::test]
async fn tasks_of_one_site_and_tasks_that_ended() {
    let server = server();
    let here = Task::pending("watching-site-a");
    let mut ended = Task::new("watching-site-b", async {});
    assert!(ended.poll().is_ready());
    let mut client = open(&server, Rights::Read).await;
    let parts = once(&mut client, named("watching-site"))
        .await
        .expect("an update");
    assert_eq!(
        names(&parts),
        ["watching-site-a"],
        "what ended is not shown unless asked for"
    );
    let site = parts[0].tasks[0].site;
    let all = v1::View {
        done: true,
        ..named("watching-site")
    };
    let parts = once(&mut client, all.clone()).await.expect("an update");
    assert_eq!(names(&parts), ["watching-site-a", "watching-site-b"]);
    let done = &parts[0].tasks[1];
    assert_eq!(
        (done.state(), done.outcome()),
        (v1::TaskState::Done, v1::Outcome::Ok)
    );
    assert!(done.ended_ns.is_some_and(|ended| ended >= done.created_ns));
    let parts = once(&mut client, v1::View { site, ..all })
        .await
        .expect("an update");
    assert_eq!(names(&parts), ["watching-site-a"]);
    drop(here);
}

#[tokio::test]
async fn what_cannot_be_understood_ends_the_stream_in_words() {
    let mut client = open(&server(), Rights::Read).await;
    for (view, words) in [
        (
            v1::View {
                filter: "bsy>1s".into(),
                ..v1::View::default()
            },
            "no key `bsy`",
        ),
        (
            v1::View {
                order: "bsy".into(),
                ..v1::View::default()
            },
            "no such column",
        ),
    ] {
        let error = once(&mut client, view).await.expect_err("refused");
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.message().contains(words), "{}", error.message());
    }
}

#[tokio::test]
async fn the_newest_view_is_answered_and_sites_are_named_once() {
    let server = server();
    let tasks: Vec<_> = ["watching-new-a", "watching-new-b"]
        .map(Task::pending)
        .into();
    let mut client = open(&server, Rights::Read).await;
    let (views, receiver) = tokio::sync::mpsc::channel(4);
    let receiver = receiver_stream(receiver);
    views
        .send(v1::View {
            id: 1,
            interval_ms: 60_000,
            ..named("watching-new-a")
        })
        .await
        .expect("taken");
    let mut stream = client.watch(receiver).await.expect("open").into_inner();
    let first = stream.next().await.expect("an update").expect("fine");
    assert_eq!(
        (first.view, first.tasks.len(), first.site_names.len()),
        (1, 1, 1)
    );
    // The next is due in a minute; a new view does not wait for that.
    views
        .send(v1::View {
            id: 2,
            interval_ms: 60_000,
            ..named("watching-new-b")
        })
        .await
        .expect("taken");
    let second = stream.next().await.expect("an update").expect("fine");
    assert_eq!((second.view, second.seq), (2, 2));
    assert_eq!(second.tasks[0].name, "watching-new-b");
    assert!(second.site_names.is_empty(), "this stream knows the site");
    drop(tasks);
}

fn receiver_stream<T: Send + 'static>(
    mut receiver: tokio::sync::mpsc::Receiver<T>,
) -> impl tokio_stream::Stream<Item = T> {
    PollFn(move |cx: &mut std::task::Context<'_>| receiver.poll_recv(cx))
}

struct PollFn<F>(F);

impl<T, F> tokio_stream::Stream for PollFn<F>
where
    F: FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>> + Unpin,
{
    type Item = T;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<T>> {
        (self.0)(cx)
    }
}
