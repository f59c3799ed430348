// Package load keeps the shop busy at a steady rate, whatever the shop does: a slow answer does not slow the next question,
// as real customers do not wait for one another.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	smallBasket = 2
	largeBasket = 20
	inFlightMax = 256
	callTimeout = 10 * time.Second
)

// counts is what became of the requests.
type counts struct{ sent, failed, skipped atomic.Int64 }

type generator struct {
	target string
	client *http.Client
	slots  chan struct{}
	counts counts
	// The number of the last order that was taken; empty until there is one.
	lastOrder atomic.Value
}

// Run sends requests until ctx ends and says what became of them, in one line each interval.
func Run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	target := flags.String("target", "http://127.0.0.1:8080", "where storefront answers")
	rate := flags.Float64("rate", 60, "requests per second, over all routes")
	every := flags.Duration("every", 30*time.Second, "how often to say how it goes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rate <= 0 || *every <= 0 {
		return fmt.Errorf("-rate and -every must be more than 0")
	}
	g := &generator{
		target: *target,
		client: &http.Client{Timeout: callTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: inFlightMax}},
		slots:  make(chan struct{}, inFlightMax),
	}
	g.run(ctx, *rate, *every)
	return nil
}

func (g *generator) run(ctx context.Context, rate float64, every time.Duration) {
	ticks := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticks.Stop()
	reports := time.NewTicker(every)
	defer reports.Stop()
	var pending sync.WaitGroup
	defer pending.Wait()
	for number := 0; ; number++ {
		select {
		case <-ctx.Done():
			return
		case <-reports.C:
			g.report(every)
		case <-ticks.C:
			select {
			case g.slots <- struct{}{}:
				pending.Go(func() {
					g.request(ctx, number)
					<-g.slots
				})
			default:
				g.counts.skipped.Add(1)
			}
		}
	}
}

// request sends what falls to its turn: of twelve, five are orders, four are products, two the front page, one a status.
func (g *generator) request(ctx context.Context, number int) {
	switch turn := number % 12; {
	case turn%2 == 0 && turn < 10:
		g.order(ctx, number)
	case turn == 1 || turn == 7:
		g.get(ctx, "/")
	case turn == 11:
		if id, ok := g.lastOrder.Load().(string); ok {
			g.get(ctx, "/orders/"+id)
		}
	default:
		g.get(ctx, fmt.Sprintf("/products/sku-%d", rand.IntN(201))) // sku-200 does not exist: now and then a 404
	}
}

// order has a large basket three times out of five.
func (g *generator) order(ctx context.Context, number int) {
	size := smallBasket
	if number%4 == 0 {
		size = largeBasket
	}
	skus := make([]string, size)
	for i := range skus {
		skus[i] = fmt.Sprintf("sku-%d", rand.IntN(200))
	}
	body, err := json.Marshal(map[string]any{"customer": fmt.Sprintf("customer-%d", rand.IntN(5000)), "skus": skus})
	if err != nil {
		g.counts.failed.Add(1)
		return
	}
	var receipt struct{ ID string }
	if g.send(ctx, http.MethodPost, "/orders", body, &receipt) {
		g.lastOrder.Store(receipt.ID)
	}
}

func (g *generator) get(ctx context.Context, path string) {
	g.send(ctx, http.MethodGet, path, nil, nil)
}

// send says whether the answer was a success; answers of 500 and above, and none at all, count as failed.
func (g *generator) send(ctx context.Context, method, path string, body []byte, answer any) bool {
	g.counts.sent.Add(1)
	request, err := http.NewRequestWithContext(ctx, method, g.target+path, bytes.NewReader(body))
	if err != nil {
		g.counts.failed.Add(1)
		return false
	}
	response, err := g.client.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			g.counts.failed.Add(1)
		}
		return false
	}
	defer response.Body.Close()
	if response.StatusCode >= 500 {
		g.counts.failed.Add(1)
	}
	if answer != nil && response.StatusCode < 300 && json.NewDecoder(response.Body).Decode(answer) == nil {
		return true
	}
	_, _ = io.Copy(io.Discard, response.Body)
	return false
}

func (g *generator) report(every time.Duration) {
	sent, failed, skipped := g.counts.sent.Swap(0), g.counts.failed.Swap(0), g.counts.skipped.Swap(0)
	fmt.Fprintf(os.Stdout, "load: %.1f requests/s, %d failed, %d skipped\n", float64(sent)/every.Seconds(), failed, skipped)
}
