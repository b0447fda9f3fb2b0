//! What can go wrong, in values of Rust.

use crate::abi;
use kitsune2_api::K2Error;

/// Why a call of the plugin failed: its `opstore_error`, copied.
///
/// kitsune2 knows one kind of error, so [`K2Error::other_src`] wraps this one; a host that wants to tell an
/// outage from a mistake downcasts the source.
#[derive(Debug, Clone)]
pub struct StoreError {
    /// One of the `OPSTORE_...` codes of the header.
    pub code: i32,
    /// The same call may succeed later, unchanged.
    pub retryable: bool,
    /// A write may have happened although no answer came. Repeating it is safe.
    pub commit_in_doubt: bool,
    /// A sentence that names the offending thing.
    pub message: String,
    /// Five characters from the server, or empty.
    pub sqlstate: String,
}

impl StoreError {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        let message = message.into();
        StoreError { code, retryable: false, commit_in_doubt: false, message, sqlstate: String::new() }
    }

    /// # Safety
    /// `error` is what a callback was given, and the callback has not returned.
    pub(crate) unsafe fn copy(error: &abi::Error) -> Self {
        unsafe {
            StoreError {
                code: error.code,
                retryable: error.retryable != 0,
                commit_in_doubt: error.commit_in_doubt != 0,
                message: error.message.to_string(),
                sqlstate: error.sqlstate.to_string(),
            }
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (code {}", self.message, self.code)?;
        if !self.sqlstate.is_empty() {
            write!(f, ", sqlstate {}", self.sqlstate)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for K2Error {
    fn from(error: StoreError) -> Self {
        K2Error::other_src("op store", error)
    }
}
