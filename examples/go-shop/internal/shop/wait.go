package shop

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// Wait takes as long as a call to a database or a partner would: median, with the long right tail of real ones. It returns
// early, with the context's error, when ctx ends.
func Wait(ctx context.Context, median time.Duration) error {
	timer := time.NewTimer(time.Duration(float64(median) * math.Exp(rand.NormFloat64()*0.25)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
