//! What is wrong in a file, and where.

pub(super) struct Fault {
    pub place: String,
    pub problem: String,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, problem: impl ToString) -> Self {
        Self {
            place: place.into(),
            problem: problem.to_string(),
        }
    }
}
