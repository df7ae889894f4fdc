//! Handlers whose sender has hung up: where the request's future may be dropped, and what goes on then.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use countersign::{MemoryStore, Receiver, Secret, Signer, Timestamp, provider::Retake};
use countersign_tests::{
    handler::{Behaviour, Handler},
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

fn receiver() -> Receiver<Retake> {
    let secret = Secret::new("retake_secret").unwrap();
    Receiver::builder(secret).store(MemoryStore::new(100)).build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A request of this receiver whose handler waits.
async fn call(framework: Framework, receiver: Receiver<Retake>, handler: Handler) -> Call {
    match framework {
        Framework::Axum => {
            use countersign::axum::{Webhook, post};
            use tower_service::Service as _;

            let on_webhook = async move |webhook: Webhook<Retake>| {
                handler.run(&webhook.event).await;
            };
            let mut app: axum::Router = axum::Router::new().route("/", post(receiver, on_webhook));
            let mut request = http::Request::post("/");
            for (name, value) in signed() {
                request = request.header(name, value);
            }
            let call = app.call(request.body(axum::body::Body::from(BODY)).unwrap());
            Box::pin(async move { call.await.unwrap().status().as_u16() })
        }
        Framework::Actix => {
            use actix_web::{App, HttpResponse, dev::Service as _, test};
            use countersign::actix::{Webhook, post};

            let on_webhook = move |webhook: Webhook<Retake>| {
                let handler = handler.clone();
                async move {
                    handler.run(&webhook.event).await;
                    HttpResponse::Ok().finish()
                }
            };
            let app = test::init_service(App::new().route("/", post(receiver, on_webhook))).await;
            let mut request = test::TestRequest::post().uri("/").set_payload(BODY);
            for header in signed() {
                request = request.insert_header(header);
            }
            let call = app.call(request.to_request());
            Box::pin(async move { call.await.unwrap().status().as_u16() })
        }
    }
}

/// A request whose handler has been started and waits.
async fn waiting(framework: Framework, handler: &Handler) -> Call {
    let mut call = call(framework, receiver(), handler.clone()).await;
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
        assert_eq!(handler.runs(), 1, "{framework:?}");
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
