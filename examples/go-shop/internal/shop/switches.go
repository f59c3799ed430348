package shop

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"sync/atomic"
)

// Switches are faults that can be turned on while the process runs, by name.
type Switches map[string]*atomic.Bool

// ServeHTTP answers POST /switch/{name}?on=true|false with the state that follows.
func (s Switches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	state := s[name]
	if state == nil {
		http.Error(w, fmt.Sprintf("no switch %q here; there is: %v", name, s.names()), http.StatusNotFound)
		return
	}
	on, err := strconv.ParseBool(r.URL.Query().Get("on"))
	if err != nil {
		http.Error(w, "on must be true or false", http.StatusBadRequest)
		return
	}
	state.Store(on)
	WriteJSON(w, http.StatusOK, map[string]any{"switch": name, "on": on})
}

func (s Switches) states() map[string]bool {
	states := make(map[string]bool, len(s))
	for name, state := range s {
		states[name] = state.Load()
	}
	return states
}

func (s Switches) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
