//! Handlers whose sender has hung up: where the request's future may be dropped, and what goes on then.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use countersign::{MemoryStore, Receiver, ReceiverBuilder, Secret, Signer, Timestamp, provider::Retake};
use countersign_tests::{
    handler::{Behaviour, Handler},
    log::Log,
    server::Framework,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
    time::sleep,
};

const BODY: &str = r#"{"event":"trial.expired","data":{"userId":"user_456"}}"#;

/// One request's future, of either framework.
type Call = Pin<Box<dyn Future<Output = u16>>>;

fn signed() -> Vec<(String, String)> {
    let signer = Signer::<Retake>::new(&Secret::new("retake_secret").unwrap());
    let headers = signer.sign(BODY, Timestamp::from(SystemTime::now())).unwrap();
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn builder() -> ReceiverBuilder<Retake> {
    Receiver::builder(Secret::new("retake_secret").unwrap()).store(MemoryStore::new(100))
}

tokio::task_local! {
    static LOCAL: u8;
}

/// What the handler sees of the task-local that is set around each request.
fn local() -> Option<u8> {
    LOCAL.try_with(|local| *local).ok()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A request of this receiver, with the task-local around it, and a handler that tells at its start and at its end what it sees of it.
async fn call(framework: Framework, receiver: Receiver<Retake>, handler: Handler) -> Call {
    match framework {
        Framework::Axum => {
            use countersign::axum::{Webhook, post};
            use tower_service::Service as _;

            let on_webhook = async move |_: Webhook<Retake>| {
                handler.run(&local()).await;
                handler.see(&local());
            };
            let mut app: axum::Router = axum::Router::new().route("/", post(receiver, on_webhook));
            let mut request = http::Request::post("/");
            for (name, value) in signed() {
                request = request.header(name, value);
            }
            let call = app.call(request.body(axum::body::Body::from(BODY)).unwrap());
            Box::pin(LOCAL.scope(7, async move { call.await.unwrap().status().as_u16() }))
        }
        Framework::Actix => {
            use actix_web::{App, HttpResponse, dev::Service as _, test};
            use countersign::actix::{Webhook, post};

            let on_webhook = move |_: Webhook<Retake>| {
                let handler = handler.clone();
                async move {
                    handler.run(&local()).await;
                    handler.see(&local());
                    HttpResponse::Ok().finish()
                }
            };
            let app = test::init_service(App::new().route("/", post(receiver, on_webhook))).await;
            let mut request = test::TestRequest::post().uri("/").set_payload(BODY);
            for header in signed() {
                request = request.insert_header(header);
            }
            let call = app.call(request.to_request());
            let status = async move {
                match call.await {
                    Ok(response) => response.status().as_u16(),
                    Err(error) => error.as_response_error().status_code().as_u16(),
                }
            };
            Box::pin(LOCAL.scope(7, status))
        }
    }
}

/// A request whose handler has been started and waits.
async fn waiting(framework: Framework, handler: &Handler) -> Call {
    started(framework, builder().build().unwrap(), handler).await
}

async fn started(framework: Framework, receiver: Receiver<Retake>, handler: &Handler) -> Call {
    let mut call = call(framework, receiver, handler.clone()).await;
    while handler.runs() == 0 {
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending(), "{framework:?}");
        sleep(Duration::from_millis(1)).await;
    }
    call
}

/// For each framework: drops a request whose handler waits, there; whether the handler runs to its end after that.
fn check(goes_on: impl Fn(Framework) -> bool, drop_there: impl Fn(Framework, &Handler)) {
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Wait);
        drop_there(framework, &handler);
        assert_eq!(handler.finished(), usize::from(goes_on(framework)), "{framework:?}");
    }
}

/// Opens the gate, and gives the handler time to go on.
async fn settle(handler: &Handler) {
    handler.open_gate();
    for _ in 0..50 {
        if handler.finished() == 1 {
            return;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn in_a_local_set_or_a_system_the_handler_goes_on() {
    check(
        |_| true,
        |framework, handler| {
            actix_web::rt::System::new().block_on(async {
                drop(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
    check(
        |_| true,
        |framework, handler| {
            LocalSet::new().block_on(&current_thread(), async {
                drop(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
}

#[test]
fn on_a_plain_thread_the_handler_ends_and_nothing_panics() {
    check(
        |_| false,
        |framework, handler| {
            let runtime = multi_thread();
            let call = runtime.block_on(waiting(framework, handler));
            drop(call);
            runtime.block_on(settle(handler));
        },
    );
    // With an arbiter that is not running, beside another runtime.
    check(
        |framework| framework == Framework::Axum,
        |framework, handler| {
            drop(actix_web::rt::System::new());
            multi_thread().block_on(async {
                drop(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
}

#[test]
fn in_a_runtime_without_a_local_set_what_can_go_on_does() {
    check(
        |framework| framework == Framework::Axum,
        |framework, handler| {
            multi_thread().block_on(async {
                drop(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
    check(
        |_| true,
        |framework, handler| {
            current_thread().block_on(async {
                drop(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
}

#[test]
fn while_a_panic_unwinds_nothing_aborts() {
    let unwind = |call: Call| {
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            let _call = call;
            panic!("as a server may");
        }));
        assert!(unwound.is_err());
    };
    check(
        |_| false,
        |framework, handler| {
            let runtime = multi_thread();
            unwind(runtime.block_on(waiting(framework, handler)));
            runtime.block_on(settle(handler));
        },
    );
    check(
        |_| true,
        |framework, handler| {
            actix_web::rt::System::new().block_on(async {
                unwind(waiting(framework, handler).await);
                settle(handler).await;
            });
        },
    );
}

/// Polls a request until its runtime drops both.
struct Held(Call);

impl Future for Held {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx).map(|_| ())
    }
}

#[test]
fn while_the_runtime_shuts_down_the_handler_ends_and_nothing_panics() {
    check(
        |_| false,
        |framework, handler| {
            actix_web::rt::System::new().block_on(async {
                actix_web::rt::spawn(Held(waiting(framework, handler).await));
                sleep(Duration::from_millis(5)).await;
            });
            handler.open_gate();
        },
    );
    check(
        |_| false,
        |framework, handler| {
            let set = LocalSet::new();
            let runtime = current_thread();
            set.block_on(&runtime, async {
                tokio::task::spawn_local(Held(waiting(framework, handler).await));
                sleep(Duration::from_millis(5)).await;
            });
            // Either way round.
            drop(runtime);
            drop(set);
            handler.open_gate();
        },
    );
    // A thread of its own, as each worker of a server has.
    check(
        |_| false,
        |framework, handler| {
            let (handler, opened) = (handler.clone(), handler.clone());
            let worker = std::thread::spawn(move || {
                LocalSet::new().block_on(&current_thread(), async {
                    tokio::task::spawn_local(async move { Held(waiting(framework, &handler).await).await });
                    sleep(Duration::from_millis(50)).await;
                });
            });
            worker.join().unwrap();
            opened.open_gate();
        },
    );
}

/// What a handler sees of a task-local around it, at its start and at its end, whose sender waits for it, or hangs up while it runs.
fn check_local(builder: fn() -> ReceiverBuilder<Retake>, hangs_up: bool, seen: [&str; 2]) {
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Wait);
        actix_web::rt::System::new().block_on(async {
            let call = started(framework, builder().build().unwrap(), &handler).await;
            if hangs_up {
                drop(call);
                settle(&handler).await;
            } else {
                handler.open_gate();
                assert_eq!(call.await, 200, "{framework:?}");
            }
        });
        assert_eq!(handler.seen(), seen, "{framework:?}");
    }
}

#[test]
fn a_handler_that_goes_on_loses_the_task_locals_around_it_unless_it_never_has_them() {
    check_local(builder, false, ["Some(7)", "Some(7)"]);
    check_local(builder, true, ["Some(7)", "None"]);
    for hangs_up in [false, true] {
        check_local(|| builder().spawn_handlers(), hangs_up, ["None", "None"]);
    }
}

#[test]
fn a_handler_in_a_task_of_its_own_panics_for_itself_and_is_dropped_with_its_runtime() {
    for framework in Framework::ALL {
        let handler = Handler::new(Behaviour::Panic);
        let receiver = builder().spawn_handlers().build().unwrap();
        actix_web::rt::System::new().block_on(async {
            assert_eq!(call(framework, receiver.clone(), handler.clone()).await.await, 500, "{framework:?}");
            handler.behave(Behaviour::Answer(200));
            assert_eq!(call(framework, receiver.clone(), handler.clone()).await.await, 200, "{framework:?}");
        });
        let handler = Handler::new(Behaviour::Wait);
        actix_web::rt::System::new().block_on(async {
            drop(started(framework, builder().spawn_handlers().build().unwrap(), &handler).await);
        });
        handler.open_gate();
        assert_eq!((handler.runs(), handler.finished()), (1, 0), "{framework:?}");
    }
}

#[test]
fn without_a_runtime_for_its_task_a_handler_runs_where_it_is_awaited() {
    let handler = Handler::new(Behaviour::Answer(200));
    multi_thread().block_on(async {
        let receiver = builder().spawn_handlers().build().unwrap();
        assert_eq!(call(Framework::Actix, receiver, handler.clone()).await.await, 200);
    });
    assert_eq!(handler.seen(), ["Some(7)", "Some(7)"]);
}

#[test]
fn a_handler_whose_task_has_not_begun_is_waited_for_and_counted() {
    for framework in Framework::ALL {
        let receiver = builder().spawn_handlers().build().unwrap();
        let handler = Handler::new(Behaviour::Answer(200));
        // The task is made in one turn, and begins in another.
        let orphan = async |receiver: &Receiver<Retake>| {
            let mut call = call(framework, receiver.clone(), handler.clone()).await;
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        };
        actix_web::rt::System::new().block_on(async {
            orphan(&receiver).await;
            assert_eq!(handler.runs(), 0, "{framework:?}");
            assert_eq!(receiver.drain(Duration::from_secs(10), sleep).await, 0, "{framework:?}");
            assert_eq!(handler.finished(), 1, "{framework:?}");
        });
        let receiver = builder().spawn_handlers().build().unwrap();
        actix_web::rt::System::new().block_on(async {
            orphan(&receiver).await;
            assert_eq!(receiver.drain(Duration::ZERO, |_| std::future::ready(())).await, 1, "{framework:?}");
        });
    }
}

#[test]
fn what_is_dropped_before_it_was_settled_is_logged_with_how_many_there_were() {
    for framework in Framework::ALL {
        let (log, receiver) = (Log::default(), builder().endpoint("acme").lease(Duration::from_millis(100)));
        let (writer, receiver) = (log.clone(), receiver.build().unwrap());
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let runtime = multi_thread();
            for _ in 0..2 {
                let handler = Handler::new(Behaviour::Wait);
                drop(runtime.block_on(started(framework, receiver.clone(), &handler)));
                std::thread::sleep(Duration::from_millis(150));
            }
            assert_eq!(runtime.block_on(receiver.drain(Duration::ZERO, sleep)), 0);
        });
        let log = log.take();
        for dropped in ["dropped=1", "dropped=2"] {
            let line = log.lines().find(|line| line.contains(dropped)).unwrap_or_else(|| panic!("{log}"));
            for word in ["WARN", r#"provider="retake""#, r#"endpoint="acme""#] {
                assert!(line.contains(word), "{framework:?}: {word} in {line}");
            }
        }
        assert!(!log.contains("user_456"), "{framework:?}: {log}");
    }
}
