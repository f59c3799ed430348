package shop

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Routes is a mux of "METHOD /path" patterns that puts the path on the span of the request. otelhttp stands around the mux
// and starts its span before a pattern is known: it can only name the span by it afterwards.
func Routes(handlers map[string]http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range handlers {
		_, path, _ := strings.Cut(pattern, " ")
		route := attribute.String("http.route", strings.TrimSuffix(path, "{$}"))
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			trace.SpanFromContext(r.Context()).SetAttributes(route)
			handler(w, r)
		})
	}
	return mux
}
