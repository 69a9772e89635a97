//! Ways to estimate where a window is heading. Each is one file with its formula that says when it is right; all take
//! the same input and give the same result. `table` says what everyone else needs to know of each.

mod affine;
mod condition;
mod control;
mod forward_backward;
mod hankel;
mod model;
mod modes;
mod optimized;
mod snapshots;
mod table;

pub(crate) use self::model::{Decomposition, Estimate, Fit, FittedMode, Input, Model, Origin};
pub use self::table::Variant;

impl Variant {
    pub(crate) fn model(self) -> &'static dyn Model {
        match self {
            Self::Hankel => &hankel::Hankel,
            Self::Affine => &affine::Affine,
            Self::ForwardBackward => &forward_backward::ForwardBackward,
            Self::Optimized => &optimized::Optimized,
            Self::Mean => &control::Mean,
            Self::Median => &control::Median,
            Self::Last => &control::Last,
        }
    }
}
