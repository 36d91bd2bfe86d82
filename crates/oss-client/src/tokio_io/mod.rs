//! Bodies as tokio's readers and writers.

mod reader;
mod writer;

pub use reader::BodyReader;
pub use writer::UploadWriter;
