//! Bytes of a client at the PostgreSQL door: whatever they are, they are taken apart without a panic, and no message
//! is taken that is longer than the limit.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

use self::frame::Frame;

// The very source of the door, so that nothing of it need be public for this.
#[allow(dead_code)]
#[path = "../../src/postgres/frame.rs"]
mod frame;

mod failure {
    /// In the door, a message for the client.
    #[derive(Debug)]
    pub(super) struct Failure;

    impl Failure {
        pub(super) fn protocol(_: impl Into<String>) -> Self {
            Self
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    for limit in [frame::SMALL, frame::LARGE] {
        let mut buffer = BytesMut::from(bytes);
        while let Some(frame) = frame::take(&mut buffer, limit) {
            if matches!(frame, Frame::Broken(_)) {
                break;
            }
        }
        assert!(buffer.len() <= bytes.len());
    }
});
