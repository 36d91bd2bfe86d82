mod inner;

pub use inner::Inner;

pub struct Two(crate::one::One);
