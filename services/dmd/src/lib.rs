//! Glocal hypergradients: where is a window of hypergradients heading?
//!
//! The hypergradients of a training run are modelled as a linear dynamical system (a finite approximation of the Koopman
//! operator, fitted by Hankel dynamic mode decomposition). The component with eigenvalue 1 is the *glocal*
//! hypergradient, an estimate of where the hypergradient would settle; the rest of the spectrum says how far to trust
//! it. The mathematics is documented in `docs/method.md`, whose section numbers are cited throughout.
//!
//! [`analyze`] takes a [`Window`] and [`Options`] and returns a [`Report`]. It is pure: no I/O, no clock, no threads.
//! The gRPC service around it is in `server`, behind the feature of that name (on by default).
//!
//! ```
//! use glocal_dmd::{Cancellation, Options, Verdict, Window, analyze};
//!
//! // h_t = 2 + 0.5^t, one component, 20 rows: it settles at 2.
//! let values: Vec<f64> = (0..20).map(|t| 2.0 + 0.5_f64.powi(t)).collect();
//! let window = Window::from_flat(&values, 1)?;
//! let report = analyze(&window, &Options::default(), &[], &Cancellation::new())?;
//! assert_eq!(report.verdict, Verdict::Trusted);
//! assert!((report.glocal.unwrap()[0] - 2.0).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accumulate;
mod analysis;
mod cancellation;
#[cfg(feature = "server")]
pub mod cli;
mod compress;
mod eigen;
mod error;
mod gram;
mod hankel;
mod options;
mod products;
mod rank;
mod recombine;
mod report;
mod rows_but_last;
mod scale;
#[cfg(feature = "server")]
pub mod server;
mod simd;
mod spectrum;
mod statistics;
mod svd;
mod thresholds;
mod triangular;
mod trust;
mod variant;
mod verdict;
mod window;

pub use analysis::analyze;
pub use cancellation::Cancellation;
pub use error::{AnalysisError, WindowError};
pub use nalgebra::Complex;
pub use options::{Anchor, OptionError, Options, Selection};
pub use products::InnerProducts;
pub use rank::SvdRank;
pub use report::{BoundTerms, Mode, Report, Spectrum, Verdict, VerdictFigures};
pub use scale::Scaling;
pub use thresholds::Thresholds;
pub use variant::Variant;
pub use window::Window;
