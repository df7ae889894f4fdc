//! `spawn`: tasks of this thread, started without ever panicking.

use std::{
    cell::RefCell,
    collections::HashMap,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::LocalSet,
};

/// What a task runs. It is not `Send`, so it stays on its thread.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// This thread's tasks, by the numbers of their tickets. Each has a `LocalSet`, so that it can start local tasks itself.
    static TASKS: RefCell<HashMap<u64, LocalSet>> = RefCell::default();
}

/// Starts a task on this thread. Gives it back if the thread has no runtime, or a runtime that would run it elsewhere.
///
/// `actix_web::rt::spawn` panics where there is no `LocalSet`, and tokio cannot be asked whether there is one. A request's future can be
/// dropped anywhere: on a plain thread, while a panic unwinds, while the runtime shuts down. A panic there would abort the process. So
/// the task stays in a thread local, and the runtime gets a ticket for it, which is `Send`.
pub(crate) fn spawn(task: Task) -> Result<(), Task> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);

    // actix-web runs each worker in a runtime of one thread, with a system around it or without.
    let Some(runtime) =
        Handle::try_current().ok().filter(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread)
    else {
        return Err(task);
    };
    let (mut task, ticket) = (Some(task), Ticket(NUMBER.fetch_add(1, Ordering::Relaxed)));
    // While the thread ends, there is no thread local any more.
    let _ = TASKS.try_with(|tasks| {
        let (mut tasks, set) = (tasks.try_borrow_mut().ok()?, LocalSet::new());
        set.spawn_local(task.take()?);
        tasks.insert(ticket.0, set)
    });
    if let Some(task) = task {
        return Err(task);
    }
    // A runtime that is shutting down drops the ticket, and with it the task.
    runtime.spawn(ticket);
    Ok(())
}

/// Polls a task of the thread that it is polled on.
struct Ticket(u64);

impl Ticket {
    fn take(&self) -> Option<LocalSet> {
        TASKS.try_with(|tasks| tasks.try_borrow_mut().ok()?.remove(&self.0)).ok()?
    }
}

impl Future for Ticket {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Taken while it is polled, since the task may start others.
        let Some(mut task) = self.take() else { return Poll::Ready(()) };
        let poll = Pin::new(&mut task).poll(cx);
        if poll.is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.insert(self.0, task));
        }
        poll
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        drop(self.take());
    }
}
