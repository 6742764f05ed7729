//! Who wants to know of a client's calls as they are made.

use std::fmt::Debug;

/// Told of each call with a JSON answer. Told while calls run: it must not wait.
pub trait Observer: Debug + Send + Sync {
    /// A request goes out; `again` where the same call was sent before.
    fn sent(&self, again: bool);
    /// A good answer came, its body of so many bytes, unpacked.
    fn answered(&self, bytes: usize);
}
