use super::Two;

pub struct Inner(Box<Two>);
