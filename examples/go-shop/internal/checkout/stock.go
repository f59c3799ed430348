package checkout

import (
	"context"
	"net/url"

	"heliograph/examples/go-shop/internal/inventory"
)

// lookUp asks inventory for the articles of an order: all in one question, or, with the switch `slow`, one by one, so that
// the price of each is fresh. The second is the N+1 of many a slow deploy: an order of twenty articles waits twenty times.
func (s *service) lookUp(ctx context.Context, skus []string) ([]inventory.Item, error) {
	if s.slow.Load() {
		return s.lookUpOneByOne(ctx, skus)
	}
	var items []inventory.Item
	err := s.inventory.Post(ctx, "/stock/batch", skus, &items)
	return items, err
}

func (s *service) lookUpOneByOne(ctx context.Context, skus []string) ([]inventory.Item, error) {
	items := make([]inventory.Item, len(skus))
	for i, sku := range skus {
		if err := s.inventory.Get(ctx, "/stock/"+url.PathEscape(sku), &items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}
