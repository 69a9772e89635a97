//! The table of variants. Service, command line and evaluation take names and defaults from here.

use crate::SvdRank;

/// Options that suit a variant, for rows of every inner step and for those with a stride.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Defaults {
    pub delays: usize,
    pub delays_with_stride: usize,
    pub svd_rank: SvdRank,
}

impl Defaults {
    const WHOLE_SPECTRUM: Self = Self {
        delays: 10,
        delays_with_stride: 2,
        svd_rank: SvdRank::All,
    };
}

/// Defines [`Variant`] from the rows of the table.
macro_rules! variants {
    ($($(#[$about:meta])* $variant:ident, $name:literal, spread: $spread:literal, $defaults:expr;)+) => {
        /// Which estimate of the glocal hypergradient to make (docs/method.md section 5).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum Variant {
            $($(#[$about])* $variant,)+
        }

        impl Variant {
            /// Every variant.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// Its name in the contract, there after `VARIANT_`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Whether its estimate can come with a standard error.
            #[must_use]
            pub fn has_spread(self) -> bool {
                match self {
                    $(Self::$variant => $spread,)+
                }
            }

            pub(crate) fn defaults(self) -> Defaults {
                match self {
                    $(Self::$variant => $defaults,)+
                }
            }
        }
    };
}

variants! {
    /// The sum of the steady modes of a Hankel dynamic mode decomposition: the paper's.
    #[default]
    Hankel, "HANKEL", spread: false, Defaults::WHOLE_SPECTRUM;
    /// The fixed point of an affine map with eigenvalues clipped; always defined.
    Affine, "AFFINE", spread: false, Defaults { delays: 3, delays_with_stride: 2, svd_rank: SvdRank::Fixed(3) };
    /// HANKEL with the operator averaged over both directions of time.
    ForwardBackward, "FORWARD_BACKWARD", spread: false, Defaults::WHOLE_SPECTRUM;
    /// A constant and up to two decaying modes fitted to the rows, averaged over their number; with a spread.
    Optimized, "OPTIMIZED", spread: true, Defaults::WHOLE_SPECTRUM;
    /// Control: the mean of the rows.
    Mean, "MEAN", spread: false, Defaults::WHOLE_SPECTRUM;
    /// Control: the component-wise median of the rows.
    Median, "MEDIAN", spread: false, Defaults::WHOLE_SPECTRUM;
    /// Control: the last row, the local hypergradient.
    Last, "LAST", spread: false, Defaults::WHOLE_SPECTRUM;
}

impl Variant {
    /// The variant of this name, as in the contract.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.name() == name)
    }
}
