package checkout

import "sync"

// Orders beyond this many push the oldest out: the shop runs for hours and keeps nothing on disk.
const ordersMax = 10_000

type orderStore struct {
	mutex    sync.Mutex
	receipts map[string]Receipt
	oldest   []string
}

func newOrderStore() *orderStore {
	return &orderStore{receipts: make(map[string]Receipt)}
}

func (s *orderStore) put(receipt Receipt) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.receipts[receipt.ID] = receipt
	s.oldest = append(s.oldest, receipt.ID)
	if len(s.oldest) > ordersMax {
		delete(s.receipts, s.oldest[0])
		s.oldest = s.oldest[1:]
	}
}

func (s *orderStore) get(id string) (Receipt, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	receipt, found := s.receipts[id]
	return receipt, found
}
