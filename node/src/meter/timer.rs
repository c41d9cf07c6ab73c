//! Device time of a batch.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Measures laps of wall time and of this process' CPU time.
#[derive(Clone, Copy, Debug)]
pub struct WorkTimer {
    thread_count: u32,
    wall_at: Instant,
    cpu: Duration,
}

/// What one lap measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lap {
    /// Wall time.
    pub wall: Duration,
    /// Time that the device was busy: never more than the wall time.
    pub active: Duration,
}

impl WorkTimer {
    /// Starts, for a device that spreads its work over `thread_count` threads.
    pub fn start(thread_count: usize) -> Self {
        let thread_count = u32::try_from(thread_count).unwrap_or(u32::MAX).max(1);
        Self {
            thread_count,
            wall_at: Instant::now(),
            cpu: process_cpu(),
        }
    }

    /// Ends a lap and starts the next. `device_time` is the device's own measurement, where it has one
    /// (CUDA events); on a CPU the process' CPU time over its threads is taken.
    pub fn lap(&mut self, device_time: Option<Duration>) -> Lap {
        let (now, cpu) = (Instant::now(), process_cpu());
        let wall = now.saturating_duration_since(self.wall_at);
        let busy = device_time.unwrap_or_else(|| cpu.saturating_sub(self.cpu) / self.thread_count);
        self.wall_at = now;
        self.cpu = cpu;
        Lap {
            wall,
            active: busy.min(wall),
        }
    }
}

/// CPU time of all threads of this process.
fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_working_time() {
        let mut timer = WorkTimer::start(1);
        std::thread::park_timeout(Duration::from_millis(30));
        let lap = timer.lap(None);
        // Other tests of this process may compute meanwhile: only the bound by wall time is certain.
        assert!(lap.active <= lap.wall);

        let lap = timer.lap(Some(Duration::from_secs(3600)));
        assert_eq!(
            lap.active, lap.wall,
            "a device that reports too much is cut to wall time"
        );
    }
}
