// Package shop holds what the three services share: running, talking to one another, and the admin port.
package shop

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"heliograph/examples/go-shop/internal/telemetry"
)

const drainTimeout = 5 * time.Second

// Service is one process of the shop.
type Service struct {
	Name     string
	Listen   string
	Admin    string
	Handler  http.Handler
	Switches Switches
}

// Flags defines the flags that every service has, on a set of its own.
func (s *Service) Flags() *flag.FlagSet {
	flags := flag.NewFlagSet(s.Name, flag.ExitOnError)
	flags.StringVar(&s.Listen, "listen", "127.0.0.1:0", "address of the service; port 0 takes a free one")
	flags.StringVar(&s.Admin, "admin", "127.0.0.1:0", "address of /debug/pprof, /debug/vars and the switches; keep it on loopback")
	return flags
}

// Run serves until ctx ends, then finishes what is under way and flushes the spans. Its first line on stdout says, as JSON,
// which addresses it took.
func (s *Service) Run(ctx context.Context) error {
	stopTelemetry, err := telemetry.Start(ctx, s.Name)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	adminListener, err := net.Listen("tcp", s.Admin)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: otelhttp.NewHandler(s.Handler, s.Name), ReadHeaderTimeout: 5 * time.Second}
	admin := &http.Server{Handler: adminHandler(s.Name, s.Switches), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() { failed <- admin.Serve(adminListener) }()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"service": s.Name,
		"version": telemetry.Version(),
		"listen":  "http://" + listener.Addr().String(),
		"admin":   "http://" + adminListener.Addr().String(),
	}); err != nil {
		return err
	}
	var served error
	select {
	case served = <-failed:
	case <-ctx.Done():
	}
	// ctx is over, and what is under way shall still finish.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := errors.Join(served, server.Shutdown(drain), admin.Shutdown(drain)); err != nil {
		return err
	}
	if err := stopTelemetry(drain); err != nil {
		// A collector that is gone is no reason to say that the service failed.
		fmt.Fprintf(os.Stderr, "%s: last spans were not sent: %v\n", s.Name, err)
	}
	return nil
}

// WriteJSON answers with a JSON body.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status is sent; a client that went away is all that can go wrong here.
	_ = json.NewEncoder(w).Encode(body)
}

// WriteError answers with the reason as JSON.
func WriteError(w http.ResponseWriter, status int, reason string) {
	WriteJSON(w, status, map[string]string{"error": reason})
}
