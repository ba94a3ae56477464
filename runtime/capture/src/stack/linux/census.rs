//! The scheduler state of the threads of this process, known to us or not.

use super::procfs;
use crate::stack::Sample;

/// Looks at every thread of this process, at `most` so many, but at those in `left_out`: two small files each, some
/// 10 µs. By thread id; what each waits in is not asked.
pub fn census(most: usize, left_out: &[i32]) -> Vec<(i32, Sample)> {
    procfs::tids()
        .into_iter()
        .filter(|tid| !left_out.contains(tid))
        .take(most)
        .filter_map(|tid| Some((tid, procfs::glance(tid)?)))
        .collect()
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;
    use crate::stack::State;

    #[test]
    fn every_thread_is_there_but_those_left_out() {
        super::super::init();
        let own = procfs::current_tid();
        let all = census(usize::MAX, &[]);
        let here = all.iter().find(|(tid, _)| *tid == own).expect("this one");
        assert_eq!(here.1.state, State::Runnable);
        assert!(here.1.at_ns > 0);
        assert!(
            census(usize::MAX, &[own])
                .iter()
                .all(|(tid, _)| *tid != own)
        );
        assert_eq!(census(0, &[]), []);
    }
}
