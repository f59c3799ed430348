package shop

import (
	"expvar"
	"net/http"
	"net/http/pprof"
	"runtime"

	"heliograph/examples/go-shop/internal/telemetry"
)

// adminHandler is what the loopback port answers: profiles, variables, switches, health.
func adminHandler(service string, switches Switches) http.Handler {
	expvar.NewString("service").Set(service)
	expvar.NewString("version").Set(telemetry.Version())
	expvar.Publish("goroutines", expvar.Func(func() any { return runtime.NumGoroutine() }))
	expvar.Publish("switches", expvar.Func(func() any { return switches.states() }))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /debug/vars", expvar.Handler())
	mux.Handle("POST /switch/{name}", switches)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return mux
}
