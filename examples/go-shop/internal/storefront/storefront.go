// Package storefront is what customers reach: pages from inventory, orders through checkout.
package storefront

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"net/http"
	"net/url"

	"heliograph/examples/go-shop/internal/checkout"
	"heliograph/examples/go-shop/internal/inventory"
	"heliograph/examples/go-shop/internal/shop"
)

const (
	frontPageArticles = 24
	bodyLimit         = 1 << 20
)

type service struct {
	checkout  *shop.Client
	inventory *shop.Client
	pages     *expvar.Map
}

// Run serves until ctx ends.
func Run(ctx context.Context, args []string) error {
	base := shop.Service{Name: "storefront"}
	flags := base.Flags()
	checkoutURL := flags.String("checkout", "http://127.0.0.1:8081", "where checkout answers")
	inventoryURL := flags.String("inventory", "http://127.0.0.1:8082", "where inventory answers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := &service{
		checkout:  shop.NewClient(*checkoutURL),
		inventory: shop.NewClient(*inventoryURL),
		pages:     expvar.NewMap("pages"),
	}
	base.Handler = shop.Routes(map[string]http.HandlerFunc{
		"GET /{$}":            s.frontPage,
		"GET /products/{sku}": s.product,
		"POST /orders":        s.order,
		"GET /orders/{id}":    s.orderStatus,
	})
	return base.Run(ctx)
}

func (s *service) frontPage(w http.ResponseWriter, r *http.Request) {
	s.pages.Add("front", 1)
	skus := make([]string, frontPageArticles)
	for i := range skus {
		skus[i] = fmt.Sprintf("sku-%d", i*7)
	}
	var items []inventory.Item
	if err := s.inventory.Post(r.Context(), "/stock/batch", skus, &items); err != nil {
		shop.PassOn(w, err)
		return
	}
	shop.WriteJSON(w, http.StatusOK, items)
}

func (s *service) product(w http.ResponseWriter, r *http.Request) {
	s.pages.Add("product", 1)
	var item inventory.Item
	if err := s.inventory.Get(r.Context(), "/stock/"+url.PathEscape(r.PathValue("sku")), &item); err != nil {
		shop.PassOn(w, err)
		return
	}
	shop.WriteJSON(w, http.StatusOK, item)
}

func (s *service) order(w http.ResponseWriter, r *http.Request) {
	s.pages.Add("order", 1)
	var order checkout.Order
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyLimit)).Decode(&order); err != nil {
		shop.WriteError(w, http.StatusBadRequest, "the body must be an order as JSON")
		return
	}
	var receipt checkout.Receipt
	if err := s.checkout.Post(r.Context(), "/orders", order, &receipt); err != nil {
		shop.PassOn(w, err)
		return
	}
	shop.WriteJSON(w, http.StatusCreated, receipt)
}

func (s *service) orderStatus(w http.ResponseWriter, r *http.Request) {
	s.pages.Add("status", 1)
	var receipt checkout.Receipt
	if err := s.checkout.Get(r.Context(), "/orders/"+url.PathEscape(r.PathValue("id")), &receipt); err != nil {
		shop.PassOn(w, err)
		return
	}
	shop.WriteJSON(w, http.StatusOK, receipt)
}
