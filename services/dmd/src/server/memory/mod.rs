//! Memory that calls count for: the budget that they share, what a window holds, and what has arrived of a request.

pub(super) mod arriving;
mod budget;
mod window;

pub(super) use self::{
    budget::{Budget, Held},
    window::{held_beside, window_bytes},
};
