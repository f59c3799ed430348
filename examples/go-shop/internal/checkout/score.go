package checkout

import (
	"context"
	"expvar"
	"hash/fnv"
	"sync/atomic"
	"time"
)

const (
	scoringTime     = 12 * time.Millisecond
	scoringPatience = 4 * time.Millisecond
	// A demonstration must not eat the machine it runs on.
	leaksMax = 20_000
)

type scoring struct {
	leak      *atomic.Bool
	inTime    *expvar.Int
	abandoned *expvar.Int
}

func newScoring(leak *atomic.Bool) *scoring {
	return &scoring{leak: leak, inTime: expvar.NewInt("scores_in_time"), abandoned: expvar.NewInt("scores_abandoned")}
}

// score asks the scoring model, which is nearly always late, and goes on without it. With room for one result in the channel a
// late result is dropped and its goroutine ends. Without (the switch `leak`) nobody will ever receive, and the goroutine
// that sends waits for good, holding its order: the abandoned receiver, one leak per order.
func (s *scoring) score(ctx context.Context, order Order) *int {
	room := 1
	if s.leak.Load() && s.abandoned.Value() < leaksMax {
		room = 0
		s.abandoned.Add(1)
	}
	result := make(chan int, room)
	go func() { result <- runModel(order) }()
	select {
	case score := <-result:
		s.inTime.Add(1)
		return &score
	case <-time.After(scoringPatience):
		return nil
	case <-ctx.Done():
		return nil
	}
}

func runModel(order Order) int {
	time.Sleep(scoringTime)
	hash := fnv.New32a()
	hash.Write([]byte(order.Customer))
	return int(hash.Sum32() % 100)
}
