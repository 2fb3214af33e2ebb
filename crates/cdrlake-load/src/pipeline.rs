//! Jobs to workers and back in order: the only place that knows threads.
//!
//! The feeder runs on the pool like any worker. It submits jobs; when enough are under way it takes
//! the oldest result, and while that is not ready it works on jobs itself. So `n` threads are `n`
//! threads, one included, memory is bounded by the jobs under way, and results are collected in
//! the order of submission by one place, whatever the threads do.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::Duration;

use rayon::{ScopeFifo, ThreadPoolBuilder, Yield};

use crate::error::LoadError;

const NO_RESULT: LoadError = LoadError::Defect("a worker ended without a result");

/// Takes results in the order of their jobs.
pub(crate) trait Collect<Done> {
    /// What comes of all results.
    type Output;

    fn collect(&mut self, done: Done) -> Result<(), LoadError>;

    /// All results have come. The threads are still there to help.
    fn finish(self) -> Result<Self::Output, LoadError>;
}

/// Feeds jobs and takes their results, in order.
pub(crate) struct Queue<'q, 'scope, Work, C, Done> {
    scope: &'q ScopeFifo<'scope>,
    work: &'scope Work,
    collector: C,
    limit: usize,
    under_way: VecDeque<Entry<Done>>,
    /// How many of them are awaited.
    jobs: usize,
}

/// A result that is there, or will be.
enum Entry<Done> {
    Ready(Done),
    Awaited(Receiver<Done>),
}

/// Runs `feed` on a pool of `threads`. Each job it submits goes through `work` on any thread, and
/// what comes of it to `collector`, in the order of submission. At most `limit` jobs are under way.
pub(crate) fn run<'w, Job, Done, Work, C, Feed>(
    threads: usize,
    limit: usize,
    work: &'w Work,
    collector: C,
    feed: Feed,
) -> Result<C::Output, LoadError>
where
    Job: Send + 'w,
    Done: Send + 'w,
    Work: Fn(Job) -> Done + Sync,
    C: Collect<Done> + Send,
    C::Output: Send,
    Feed: FnOnce(&mut Queue<'_, 'w, Work, C, Done>) -> Result<(), LoadError> + Send,
{
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("cdrlake-{index}"))
        .build()?;
    pool.scope_fifo(|scope| {
        let mut queue = Queue {
            scope,
            work,
            collector,
            limit: limit.max(1),
            under_way: VecDeque::new(),
            jobs: 0,
        };
        feed(&mut queue)?;
        queue.drain()?;
        queue.collector.finish()
    })
}

impl<'scope, Work, C, Done> Queue<'_, 'scope, Work, C, Done>
where
    Done: Send + 'scope,
    C: Collect<Done>,
{
    /// Puts a job to work; waits, and helps, while too many are under way.
    pub(crate) fn submit<Job>(&mut self, job: Job) -> Result<(), LoadError>
    where
        Job: Send + 'scope,
        Work: Fn(Job) -> Done + Sync,
    {
        while self.jobs >= self.limit {
            self.collect_oldest()?;
        }
        let (sender, receiver) = sync_channel(1);
        let work = self.work;
        self.scope.spawn_fifo(move |_| {
            // If nobody waits any more the run has ended with an error.
            let _ = sender.send(work(job));
        });
        self.under_way.push_back(Entry::Awaited(receiver));
        self.jobs += 1;
        self.collect_ready()
    }

    /// Gives the collector something that needs no work, in its turn.
    pub(crate) fn pass(&mut self, done: Done) -> Result<(), LoadError> {
        self.under_way.push_back(Entry::Ready(done));
        self.collect_ready()
    }

    /// Collects all that is under way.
    pub(crate) fn drain(&mut self) -> Result<(), LoadError> {
        while !self.under_way.is_empty() {
            self.collect_oldest()?;
        }
        Ok(())
    }

    /// Collects what is done already, from the oldest on.
    fn collect_ready(&mut self) -> Result<(), LoadError> {
        while let Some(entry) = self.under_way.pop_front() {
            let done = match entry {
                Entry::Ready(done) => done,
                Entry::Awaited(receiver) => match receiver.try_recv() {
                    Ok(done) => {
                        self.jobs -= 1;
                        done
                    }
                    Err(TryRecvError::Disconnected) => return Err(NO_RESULT),
                    Err(TryRecvError::Empty) => {
                        self.under_way.push_front(Entry::Awaited(receiver));
                        return Ok(());
                    }
                },
            };
            self.collector.collect(done)?;
        }
        Ok(())
    }

    fn collect_oldest(&mut self) -> Result<(), LoadError> {
        match self.under_way.pop_front() {
            None => Ok(()),
            Some(Entry::Ready(done)) => self.collector.collect(done),
            Some(Entry::Awaited(receiver)) => {
                let done = help_until_done(&receiver)?;
                self.jobs -= 1;
                self.collector.collect(done)
            }
        }
    }
}

/// A result that will be there.
#[derive(Debug)]
pub struct Deferred<Done>(Receiver<Done>);

/// Puts a job to work on the pool that this thread belongs to.
pub fn defer<Done: Send + 'static>(job: impl FnOnce() -> Done + Send + 'static) -> Deferred<Done> {
    let (sender, receiver) = sync_channel(1);
    rayon::spawn_fifo(move || {
        // If nobody waits any more the run has ended with an error.
        let _ = sender.send(job());
    });
    Deferred(receiver)
}

impl<Done> Deferred<Done> {
    /// A result that is there.
    #[must_use]
    pub fn ready(done: Done) -> Self {
        let (sender, receiver) = sync_channel(1);
        // The receiver is here, and there is room for one.
        let _ = sender.send(done);
        Self(receiver)
    }

    /// Returns the result, if it is there; it is given once.
    ///
    /// # Errors
    ///
    /// [`LoadError::Defect`], if the job ended without one.
    pub fn take_if_ready(&self) -> Result<Option<Done>, LoadError> {
        match self.0.try_recv() {
            Ok(done) => Ok(Some(done)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(NO_RESULT),
        }
    }

    /// Waits for the result, and works on other jobs meanwhile; it is given once.
    ///
    /// # Errors
    ///
    /// [`LoadError::Defect`], if the job ended without one.
    pub fn wait(&self) -> Result<Done, LoadError> {
        help_until_done(&self.0)
    }
}

/// Waits for a result, and works on other jobs meanwhile.
fn help_until_done<Done>(receiver: &Receiver<Done>) -> Result<Done, LoadError> {
    /// How soon to look for other jobs again when there was none.
    const PAUSE: Duration = Duration::from_millis(1);
    loop {
        match receiver.try_recv() {
            Ok(done) => return Ok(done),
            Err(TryRecvError::Disconnected) => return Err(NO_RESULT),
            Err(TryRecvError::Empty) => {}
        }
        if rayon::yield_now() != Some(Yield::Executed) {
            match receiver.recv_timeout(PAUSE) {
                Ok(done) => return Ok(done),
                Err(RecvTimeoutError::Disconnected) => return Err(NO_RESULT),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A closure collects, and gives nothing.
    struct Collecting<F>(F);

    impl<Done, F: FnMut(Done) -> Result<(), LoadError>> Collect<Done> for Collecting<F> {
        type Output = ();

        fn collect(&mut self, done: Done) -> Result<(), LoadError> {
            self.0(done)
        }

        fn finish(self) -> Result<(), LoadError> {
            Ok(())
        }
    }

    #[test]
    fn results_come_in_order_and_few_are_under_way() {
        for threads in [1, 2, 5] {
            let (started, collected) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut results = Vec::new();
            let work = |job: u64| {
                let under_way =
                    started.fetch_add(1, Ordering::SeqCst) - collected.load(Ordering::SeqCst);
                assert!(under_way <= 4, "{under_way} under way");
                std::thread::sleep(Duration::from_micros(job * 7919 % 500));
                job
            };
            let collect = |job| {
                collected.fetch_add(1, Ordering::SeqCst);
                results.push(job);
                Ok(())
            };
            run(threads, 4, &work, Collecting(collect), |queue| {
                (0..200).try_for_each(|job| queue.submit(job))
            })
            .unwrap();
            assert_eq!(results, (0..200).collect::<Vec<_>>(), "{threads} threads");
        }
    }

    #[test]
    fn what_needs_no_work_keeps_its_turn() {
        let mut results = Vec::new();
        let work = |job: u32| {
            std::thread::sleep(Duration::from_millis(1));
            job
        };
        run(
            2,
            4,
            &work,
            Collecting(|job| {
                results.push(job);
                Ok(())
            }),
            |queue| {
                (0..20).try_for_each(
                    |job| if job % 3 == 0 { queue.pass(job) } else { queue.submit(job) },
                )
            },
        )
        .unwrap();
        assert_eq!(results, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn what_needs_no_work_takes_no_jobs_place() {
        let most = AtomicUsize::new(0);
        let under_way = AtomicUsize::new(0);
        let work = |_: u32| {
            let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            under_way.fetch_sub(1, Ordering::SeqCst);
        };
        run(3, 3, &work, Collecting(|()| Ok(())), |queue| {
            (0..30).try_for_each(|job| {
                (0..10).try_for_each(|_| queue.pass(()))?;
                queue.submit(job)
            })
        })
        .unwrap();
        assert!(most.load(Ordering::SeqCst) > 1, "one job at a time");
    }

    #[test]
    fn an_error_of_the_collector_ends_the_run() {
        let work = |job: u32| job;
        let collect = |job| if job == 5 { Err(NO_RESULT) } else { Ok(()) };
        let result = run(2, 4, &work, Collecting(collect), |queue| {
            (0..).try_for_each(|job| queue.submit(job))
        });
        assert!(matches!(result, Err(LoadError::Defect(_))));
    }
}
