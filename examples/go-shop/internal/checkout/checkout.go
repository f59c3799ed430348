// Package checkout takes orders: it looks the articles up, has the order scored, takes the money and reserves the goods.
package checkout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"expvar"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"heliograph/examples/go-shop/internal/shop"
)

const (
	paymentTime   = 8 * time.Millisecond
	receiptRounds = 20_000
	bodyLimit     = 1 << 20
)

var tracer = otel.Tracer("heliograph/examples/go-shop/internal/checkout")

// Order is what a customer sends.
type Order struct {
	Customer string   `json:"customer"`
	SKUs     []string `json:"skus"`
}

// Receipt is what the customer gets.
type Receipt struct {
	ID         string `json:"id"`
	TotalCents int    `json:"totalCents"`
	Signature  string `json:"signature"`
	Score      *int   `json:"score"` // absent where the scoring took too long
}

type service struct {
	inventory *shop.Client
	store     *orderStore
	mail      *mailQueue
	scoring   *scoring
	slow      *atomic.Bool
	outages   float64
	orders    *expvar.Int
	unpaid    *expvar.Int
}

// Run serves until ctx ends.
func Run(ctx context.Context, args []string) error {
	base := shop.Service{Name: "checkout", Switches: shop.Switches{"slow": {}, "leak": {}}}
	flags := base.Flags()
	inventory := flags.String("inventory", "http://127.0.0.1:8082", "where inventory answers")
	outages := flags.Float64("outages", 0.003, "share of payments that fail")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := &service{
		inventory: shop.NewClient(*inventory),
		store:     newOrderStore(),
		mail:      startMailQueue(ctx),
		scoring:   newScoring(base.Switches["leak"]),
		slow:      base.Switches["slow"],
		outages:   *outages,
		orders:    expvar.NewInt("orders"),
		unpaid:    expvar.NewInt("orders_unpaid"),
	}
	base.Handler = shop.Routes(map[string]http.HandlerFunc{
		"POST /orders":     s.postOrder,
		"GET /orders/{id}": s.getOrder,
	})
	return base.Run(ctx)
}

func (s *service) postOrder(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var order Order
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(&order)
	if err != nil || len(order.SKUs) == 0 {
		shop.WriteError(w, http.StatusBadRequest, "skus must name at least one article")
		return
	}
	items, err := s.lookUp(ctx, order.SKUs)
	if err != nil {
		shop.PassOn(w, err)
		return
	}
	receipt := Receipt{ID: strconv.FormatUint(rand.Uint64()>>12, 10), Score: s.scoring.score(ctx, order)}
	for _, item := range items {
		receipt.TotalCents += item.PriceCents
	}
	if err := s.pay(ctx); err != nil {
		shop.WriteError(w, http.StatusBadGateway, err.Error())
		return
	}
	if err := s.inventory.Post(ctx, "/reservations", order.SKUs, &map[string]bool{}); err != nil {
		shop.PassOn(w, err)
		return
	}
	receipt.Signature = sign(receipt.ID, receipt.TotalCents)
	s.store.put(receipt)
	s.mail.send(receipt.ID)
	s.orders.Add(1)
	shop.WriteJSON(w, http.StatusCreated, receipt)
}

func (s *service) getOrder(w http.ResponseWriter, r *http.Request) {
	receipt, found := s.store.get(r.PathValue("id"))
	if !found {
		shop.WriteError(w, http.StatusNotFound, "no such order")
		return
	}
	shop.WriteJSON(w, http.StatusOK, receipt)
}

type gatewayError struct{}

func (gatewayError) Error() string { return "the payment gateway did not answer" }

func (s *service) pay(ctx context.Context) error {
	ctx, span := tracer.Start(ctx, "authorize payment")
	defer span.End()
	if err := shop.Wait(ctx, paymentTime); err != nil {
		return err
	}
	if rand.Float64() < s.outages {
		s.unpaid.Add(1)
		span.RecordError(gatewayError{})
		span.SetStatus(codes.Error, gatewayError{}.Error())
		return gatewayError{}
	}
	return nil
}

// sign is slow on purpose, as a signature that is hard to guess must be: it is what the flame graph of checkout shows.
func sign(id string, totalCents int) string {
	sum := sha256.Sum256([]byte(id + ":" + strconv.Itoa(totalCents)))
	for range receiptRounds {
		sum = sha256.Sum256(sum[:])
	}
	return hex.EncodeToString(sum[:])
}
