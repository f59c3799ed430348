package checkout

import (
	"context"
	"expvar"
	"time"

	"heliograph/examples/go-shop/internal/shop"
)

const (
	mailRoom = 500
	mailTime = 15 * time.Millisecond
)

// mailQueue sends confirmations behind the answer to the customer. Its depth is published as queue_depth.
type mailQueue struct {
	orders        chan string
	sent, dropped *expvar.Int
}

// startMailQueue works until ctx ends.
func startMailQueue(ctx context.Context) *mailQueue {
	queue := &mailQueue{
		orders:  make(chan string, mailRoom),
		sent:    expvar.NewInt("mails_sent"),
		dropped: expvar.NewInt("mails_dropped"),
	}
	expvar.Publish("queue_depth", expvar.Func(func() any { return len(queue.orders) }))
	go queue.work(ctx)
	return queue
}

// send never waits: a full queue drops the mail and counts it.
func (q *mailQueue) send(order string) {
	select {
	case q.orders <- order:
	default:
		q.dropped.Add(1)
	}
}

func (q *mailQueue) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.orders:
			if shop.Wait(ctx, mailTime) == nil {
				q.sent.Add(1)
			}
		}
	}
}
