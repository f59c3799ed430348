// Package inventory knows what is in stock. One read of its store takes about 20 ms, for one article as for fifty.
package inventory

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"time"

	"heliograph/examples/go-shop/internal/shop"
)

const (
	articles  = 200
	storeRead = 20 * time.Millisecond
	bodyLimit = 1 << 20
)

type service struct {
	shortages           float64
	reads, reservations *expvar.Int
}

// Item is what is known of one article.
type Item struct {
	SKU        string `json:"sku"`
	Available  int    `json:"available"`
	PriceCents int    `json:"priceCents"`
}

// Run serves until ctx ends.
func Run(ctx context.Context, args []string) error {
	base := shop.Service{Name: "inventory"}
	flags := base.Flags()
	shortages := flags.Float64("shortages", 0.005, "share of reservations that come too late")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := &service{
		shortages:    *shortages,
		reads:        expvar.NewInt("store_reads"),
		reservations: expvar.NewInt("reservations"),
	}
	base.Handler = shop.Routes(map[string]http.HandlerFunc{
		"GET /stock/{sku}":   s.getItem,
		"POST /stock/batch":  s.getBatch,
		"POST /reservations": s.reserve,
	})
	return base.Run(ctx)
}

func (s *service) getItem(w http.ResponseWriter, r *http.Request) {
	sku := r.PathValue("sku")
	if !known(sku) {
		shop.WriteError(w, http.StatusNotFound, "no article "+sku)
		return
	}
	items, err := s.read(r.Context(), []string{sku})
	if err != nil {
		shop.WriteError(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	shop.WriteJSON(w, http.StatusOK, items[0])
}

func (s *service) getBatch(w http.ResponseWriter, r *http.Request) {
	var skus []string
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(&skus); err != nil {
		shop.WriteError(w, http.StatusBadRequest, "the body must be a JSON list of articles")
		return
	}
	items, err := s.read(r.Context(), skus)
	if err != nil {
		shop.WriteError(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	shop.WriteJSON(w, http.StatusOK, items)
}

func (s *service) reserve(w http.ResponseWriter, r *http.Request) {
	if err := shop.Wait(r.Context(), storeRead/4); err != nil {
		shop.WriteError(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	if rand.Float64() < s.shortages {
		shop.WriteError(w, http.StatusConflict, "sold out while you were choosing")
		return
	}
	s.reservations.Add(1)
	shop.WriteJSON(w, http.StatusCreated, map[string]bool{"reserved": true})
}

// read is one round trip to the store, however many articles it asks for.
func (s *service) read(ctx context.Context, skus []string) ([]Item, error) {
	if err := shop.Wait(ctx, storeRead); err != nil {
		return nil, err
	}
	s.reads.Add(1)
	items := make([]Item, len(skus))
	for i, sku := range skus {
		hash := fnv.New32a()
		hash.Write([]byte(sku))
		items[i] = Item{SKU: sku, Available: int(hash.Sum32() % 90), PriceCents: 199 + int(hash.Sum32()%9000)}
	}
	return items, nil
}

// known articles are called sku-0 to sku-199.
func known(sku string) bool {
	var number int
	count, err := fmt.Sscanf(sku, "sku-%d", &number)
	return err == nil && count == 1 && number >= 0 && number < articles
}
