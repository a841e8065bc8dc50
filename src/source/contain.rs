//! A scope in which a panic is an error like any other.
//!
//! A panic ends the program, because a program with a dead part would show a picture that is no longer true. What turns
//! a sender's bytes into other bytes holds no such part: where it panics only that body is lost. The mark is the
//! thread's own, so that the panic hook (which runs on the thread that panics) can tell.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread, now, is caught and answered: the panic hook must let it pass.
#[must_use]
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Runs `work`; `None` where it panicked. What it was changing must be given up then.
pub(super) fn contain<T>(work: impl FnOnce() -> T) -> Option<T> {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            CONTAINED.set(self.0);
        }
    }
    let _before = Restore(CONTAINED.replace(true));
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_in_the_scope_is_an_answer_and_the_mark_goes_with_it() {
        assert!(!is_contained());
        assert_eq!(contain(|| (is_contained(), contain(is_contained), is_contained())), Some((true, Some(true), true)));
        assert_eq!(contain(|| panic!("hostile")), None::<()>);
        assert!(!is_contained());
        assert!(!std::thread::spawn(is_contained).join().unwrap());
    }
}
