//! How much a client may send ahead, and how long a connection may be silent.

use std::time::Duration;

/// Bytes of one call that a client may send before the service has read them. With the default of HTTP/2 (64 KiB) a window
/// of 100,000 components would wait for the round trip a dozen times a row.
pub(super) const RECEIVE_WINDOW: u32 = 256 << 10;

/// Bytes of all calls on one connection that a client may send before the service has read them: up to 63 calls that are
/// not read leave room for others.
pub(super) const CONNECTION_WINDOW: u32 = 64 * RECEIVE_WINDOW;

/// A connection on which nothing has come for this long is asked for a sign of life, and closed without one.
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
pub(super) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
