/** The network that weights examples, as a hyperparameter: its name and its size. Without tfjs, for rules of specifications. */

/** Name of the hyperparameter whose values are the network's weights. */
export const REWEIGHTING = 'reweighting';

/** Number of the network's weights: 1 → hidden → 1 with biases. */
export const networkSize = ({ hidden }: { readonly hidden: number }): number => 3 * hidden + 1;
