package main

import "math"

const (
	points       = 64
	features     = 8
	windows      = 40
	window       = 50
	sigma        = 12
	learningRate = 0.1
)

// ridge is ../ridge.ts: gradient descent on |Xw - y|²/2n + penalty |w|²/2, where X'X/n is the identity.
type ridge struct {
	x                    [][]float64
	training, validation []float64
	w                    []float64
}

func newRidge() *ridge {
	r := &ridge{w: make([]float64, features)}
	for i := range points {
		row := make([]float64, features)
		for j := range row {
			row[j] = math.Sqrt2 * math.Cos(math.Pi*float64(j+1)*at(i))
		}
		r.x = append(r.x, row)
	}
	r.training, r.validation = measure(1), measure(1001)
	return r
}

func at(i int) float64 { return (float64(i) + 0.5) / points }

// measure gives targets: a curve, and noise.
func measure(first int) []float64 {
	targets := make([]float64, points)
	for i := range targets {
		t := at(i)
		targets[i] = t*(1-t)*math.Cos(9*t) + 0.4*noise(first+i)
	}
	return targets
}

// noise is between -1 and 1, looks random, and is the same everywhere.
func noise(i int) float64 {
	x := math.Sin(12.9898*float64(i)) * 43758.5453
	return 2*(x-math.Floor(x)) - 1
}

// lossAndGradient of |Xw - targets|²/2n.
func (r *ridge) lossAndGradient(w, targets []float64) (loss float64, gradient []float64) {
	gradient = make([]float64, features)
	for i, row := range r.x {
		e := dot(row, w) - targets[i]
		loss += e * e / (2 * points)
		for j, x := range row {
			gradient[j] += e * x / points
		}
	}
	return loss, gradient
}

// bestPenalty: w is a / (1 + penalty) in the end, for a = X'y/n of the training targets; nearest to that of the validation
// targets, b, where the derivative of their distance is 0.
func (r *ridge) bestPenalty() float64 {
	zero := make([]float64, features)
	_, a := r.lossAndGradient(zero, r.training)
	_, b := r.lossAndGradient(zero, r.validation)
	return dot(a, a)/dot(a, b) - 1
}

// trained is what a window leads to, beside the weights.
type trained struct {
	// hypergradients of the last sigma steps.
	hypergradients            []float64
	trainLoss, validationLoss float64
}

// trainWindow makes the steps of a window. The derivative of the validation loss by the penalty is its gradient by w times
// dw, the derivative of w.
func (r *ridge) trainWindow(penalty float64) (t trained) {
	dw := make([]float64, features)
	for step := range window {
		loss, gradient := r.lossAndGradient(r.w, r.training)
		t.trainLoss += loss / window
		for j := range r.w {
			// The Hessian of the first term is the identity.
			dw[j] -= learningRate * (dw[j] + penalty*dw[j] + r.w[j])
			r.w[j] -= learningRate * (gradient[j] + penalty*r.w[j])
		}
		loss, gradient = r.lossAndGradient(r.w, r.validation)
		t.validationLoss = loss
		if step >= window-sigma {
			t.hypergradients = append(t.hypergradients, dot(gradient, dw))
		}
	}
	return t
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
