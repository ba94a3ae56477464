//! The builder's methods that Tokio has under `--cfg tokio_unstable` only.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{HistogramConfiguration, RngSeed, TaskMeta, UnhandledPanic};

use super::Builder;

impl Builder {
    /// Runs `f` when a task is spawned.
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.tasks.spawn = Some(Arc::new(f));
        self
    }

    /// Runs `f` before a task is polled.
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.tasks.before_poll = Some(Arc::new(f));
        self
    }

    /// Runs `f` after a task was polled.
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.tasks.after_poll = Some(Arc::new(f));
        self
    }

    /// Runs `f` when a task ends.
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.tasks.terminate = Some(Arc::new(f));
        self
    }

    /// Sets what happens when a task panics.
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.inner.unhandled_panic(behavior);
        self
    }

    /// Switches the scheduler's LIFO slot off.
    pub fn disable_lifo_slot(&mut self) -> &mut Self {
        self.inner.disable_lifo_slot();
        self
    }

    /// Sets the seed of the runtime's random numbers.
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Self {
        self.inner.rng_seed(seed);
        self
    }

    /// Runs the io_uring driver.
    #[cfg(all(feature = "io-uring", feature = "fs", target_os = "linux"))]
    pub fn enable_io_uring(&mut self) -> &mut Self {
        self.inner.enable_io_uring();
        self
    }

    /// Uses the alternative timer.
    pub fn enable_alt_timer(&mut self) -> &mut Self {
        self.inner.enable_alt_timer();
        self
    }

    /// Measures poll times into a histogram.
    pub fn enable_metrics_poll_time_histogram(&mut self) -> &mut Self {
        self.inner.enable_metrics_poll_time_histogram();
        self
    }

    /// As [`enable_metrics_poll_time_histogram`](Self::enable_metrics_poll_time_histogram), under its old name.
    #[deprecated(note = "use `enable_metrics_poll_time_histogram`, as Tokio says")]
    pub fn enable_metrics_poll_count_histogram(&mut self) -> &mut Self {
        self.enable_metrics_poll_time_histogram()
    }

    /// Sets the scale of the histogram of poll times.
    #[expect(deprecated, reason = "Tokio's own, mirrored")]
    #[deprecated(note = "use `metrics_poll_time_histogram_configuration`, as Tokio says")]
    pub fn metrics_poll_count_histogram_scale(
        &mut self,
        scale: tokio::runtime::HistogramScale,
    ) -> &mut Self {
        self.inner.metrics_poll_count_histogram_scale(scale);
        self
    }

    /// Configures the histogram of poll times.
    pub fn metrics_poll_time_histogram_configuration(
        &mut self,
        configuration: HistogramConfiguration,
    ) -> &mut Self {
        self.inner
            .metrics_poll_time_histogram_configuration(configuration);
        self
    }

    /// Sets the width of the histogram's buckets.
    #[expect(deprecated, reason = "Tokio's own, mirrored")]
    #[deprecated(note = "use `metrics_poll_time_histogram_configuration`, as Tokio says")]
    pub fn metrics_poll_count_histogram_resolution(&mut self, resolution: Duration) -> &mut Self {
        self.inner
            .metrics_poll_count_histogram_resolution(resolution);
        self
    }

    /// Sets how many buckets the histogram has.
    #[expect(deprecated, reason = "Tokio's own, mirrored")]
    #[deprecated(note = "use `metrics_poll_time_histogram_configuration`, as Tokio says")]
    pub fn metrics_poll_count_histogram_buckets(&mut self, buckets: usize) -> &mut Self {
        self.inner.metrics_poll_count_histogram_buckets(buckets);
        self
    }
}
